package world

import (
	"slices"
	"strings"
)

// Limits of sharing documents (API reference, DocumentPermissionLimit).
const (
	shareLimit  = 1000 // accounts of a document
	publicLimit = 5    // public documents of an account
	everybody   = "all"
)

// Shares returns the accounts that may use a document, by id.
func (w *World) Shares(name string) ([]Share, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	doc, err := w.ownDocument(name)
	if err != nil {
		return nil, err
	}
	return slices.Clone(doc.Shares), nil
}

// ShareDocument lets accounts use a document, and others no more. version is
// $DEFAULT when empty.
func (w *World) ShareDocument(name string, add, remove []string, version string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	doc, err := w.document(name)
	if err != nil {
		return err
	}
	if doc.Owner != w.sc.Account {
		return Errorf("InvalidDocument", "Document %s is owned by %s and can't be shared.", name, doc.Owner)
	}
	fill(&version, "$DEFAULT")
	next := slices.Clone(doc.Shares)
	for _, account := range add {
		account = shareAccount(account)
		if account == everybody {
			if err := w.mayPublish(doc); err != nil {
				return err
			}
		}
		next = append(slices.DeleteFunc(next, func(s Share) bool { return s.Account == account }), Share{account, version})
	}
	next = slices.DeleteFunc(next, func(s Share) bool {
		return slices.ContainsFunc(remove, func(account string) bool { return shareAccount(account) == s.Account })
	})
	if len(next) > shareLimit {
		return Errorf("DocumentPermissionLimit", "The document can't be shared with more than %d accounts.", shareLimit)
	}
	slices.SortFunc(next, func(a, b Share) int { return strings.Compare(a.Account, b.Account) })
	doc.Shares = next
	return nil
}

// shareAccount is an account as it is stored: the API takes ALL in any case.
func shareAccount(account string) string { return strings.ToLower(account) }

// mayPublish refuses to share a document with everybody when the account's
// setting or limit forbids it. Callers hold w.mu.
func (w *World) mayPublish(doc *Document) error {
	if w.settings[SettingPublicSharing].Value == "Disable" {
		return Errorf("DocumentPermissionLimit", "Public sharing of documents is blocked for this account by the setting %s.", SettingPublicSharing)
	}
	public := 0
	for _, d := range w.documents {
		if d != doc && slices.ContainsFunc(d.Shares, func(s Share) bool { return s.Account == everybody }) {
			public++
		}
	}
	if public >= publicLimit {
		return Errorf("DocumentPermissionLimit", "An account can share at most %d documents publicly.", publicLimit)
	}
	return nil
}

// ReviewDocument records a review of a version, $LATEST when empty. action is
// that of the API: SendForReview, UpdateReview, Approve, Reject.
func (w *World) ReviewDocument(name, version, action, reviewer string, comments []any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	doc, err := w.ownDocument(name)
	if err != nil {
		return err
	}
	fill(&version, "$LATEST")
	v, err := doc.Version(version)
	if err != nil {
		return err
	}
	status := v.ReviewStatus()
	switch action {
	case "SendForReview":
		status = "PENDING"
	case "UpdateReview":
		fill(&status, "NOT_REVIEWED")
	case "Approve", "Reject":
		if status != "PENDING" {
			return Errorf("InvalidDocumentOperation", "Version %d of document %s has not been sent for review.", v.Number, doc.Name)
		}
		status = map[string]string{"Approve": "APPROVED", "Reject": "REJECTED"}[action]
	}
	i := slices.IndexFunc(doc.Versions, func(dv DocumentVersion) bool { return dv.Number == v.Number })
	reviews := slices.Clone(v.Reviews) // copies of the document share them
	doc.Versions[i].Reviews = append(reviews, Review{Status: status, Reviewer: reviewer, Comments: comments, Created: w.now()})
	return nil
}
