package world

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// maxDocument is the size limit of a document's content in bytes (service-wide:
// 64 KB).
const maxDocument = 64 << 10

// documentLimit is how many documents an account can have (API reference,
// DocumentLimitExceeded).
const documentLimit = 500

// documentVersions is how many versions of a document the service keeps.
const documentVersions = 1000

// PreferencesDocument is the document that holds a region's session settings.
const PreferencesDocument = "SSM-SessionManagerRunShell"

//go:embed documents/*.json
var awsDocuments embed.FS

// Document is an SSM document with all its versions.
type Document struct {
	Name, Type, TargetType, DisplayName string
	Owner                               string // Amazon or the account id
	Created                             time.Time
	Versions                            []DocumentVersion // ascending, never empty
	Default                             int               // number of the default version
	Tags                                map[string]string
	Shares                              []Share // by account id
	Requires                            []any   // documents that it needs, as the API has them
}

// Share is an account that may use a document.
type Share struct {
	Account string // 12 digits, or all
	Version string // $DEFAULT, $LATEST, $ALL
}

// DocumentVersion is one version of a document.
type DocumentVersion struct {
	Number  int
	Name    string // given by the user, may be empty
	Format  string // JSON or YAML, as it was written
	Content string
	Created time.Time
	Body    *Body
	Files   []string // names of its attachments
	Reviews []Review // oldest first
}

// Review is what somebody said about a version of a document.
type Review struct {
	Status   string // APPROVED, NOT_REVIEWED, PENDING, REJECTED
	Reviewer string
	Comments []any // as the API has them
	Created  time.Time
}

// ReviewStatus is the state after the last review, empty without any.
func (v DocumentVersion) ReviewStatus() string {
	if len(v.Reviews) == 0 {
		return ""
	}
	return v.Reviews[len(v.Reviews)-1].Status
}

// Hash is the SHA-256 of the content in hexadecimal.
func (v DocumentVersion) Hash() string {
	sum := sha256.Sum256([]byte(v.Content))
	return hex.EncodeToString(sum[:])
}

// Latest is the newest version.
func (d *Document) Latest() DocumentVersion { return d.Versions[len(d.Versions)-1] }

// Version finds a version by number, $LATEST, $DEFAULT or "" (the default).
func (d *Document) Version(v string) (DocumentVersion, error) {
	n := d.Default
	switch v {
	case "", "$DEFAULT":
	case "$LATEST":
		return d.Latest(), nil
	default:
		n, _ = strconv.Atoi(v)
	}
	i := slices.IndexFunc(d.Versions, func(dv DocumentVersion) bool { return dv.Number == n })
	if i < 0 {
		return DocumentVersion{}, Errorf("InvalidDocumentVersion", "The document version is not valid or does not exist.")
	}
	return d.Versions[i], nil
}

// VersionNamed finds a version by the name its author gave it.
func (d *Document) VersionNamed(name string) (DocumentVersion, error) {
	for _, v := range d.Versions {
		if v.Name == name {
			return v, nil
		}
	}
	return DocumentVersion{}, Errorf("InvalidDocumentVersion", "The document version %s does not exist.", name)
}

func (w *World) addDocuments() error {
	entries, err := awsDocuments.ReadDir("documents")
	if err != nil {
		return err
	}
	for _, e := range entries {
		content, err := awsDocuments.ReadFile("documents/" + e.Name())
		if err != nil {
			return err
		}
		name := strings.TrimSuffix(e.Name(), path.Ext(e.Name()))
		text := string(content)
		kind := "Command"
		switch {
		case strings.Contains(text, `"schemaVersion": "`+automationSchema+`"`):
			kind = "Automation"
		case strings.Contains(text, `"schemaVersion": "1.0"`):
			kind = "Session"
		}
		if name == "AWS-StartNonInteractiveCommand" && *w.sc.SeparateOutput {
			text = strings.ReplaceAll(text, `"runAsElevated": false`, `"runAsElevated": false, "separateOutputStream": true`)
		}
		if err := w.addDocument(NewDocument{Name: name, Type: kind, Format: "JSON", Content: text}, "Amazon"); err != nil {
			return err
		}
	}
	if !w.sc.Preferences.NoDocument {
		prefs := NewDocument{Name: PreferencesDocument, Type: "Session", Format: "JSON", Content: w.sc.Preferences.document()}
		if err := w.addDocument(prefs, w.sc.Account); err != nil {
			return err
		}
	}
	for _, s := range w.sc.Documents {
		d := NewDocument{Name: s.Name, Type: s.Type, Format: s.Format, Content: s.Content}
		if err := w.addDocument(d, w.sc.Account); err != nil {
			return fmt.Errorf("document %s: %w", s.Name, err)
		}
	}
	return nil
}

// NewDocument is what CreateDocument and UpdateDocument are given.
type NewDocument struct {
	Name, Type, Format, Content          string
	VersionName, TargetType, DisplayName string
	Tags                                 map[string]string
	Requires                             []any
	Files                                []string // names of attachments
}

func (w *World) addDocument(d NewDocument, owner string) error {
	body, err := ParseBody(d.Content, d.Format, d.Type)
	if err != nil {
		return err
	}
	w.documents[d.Name] = &Document{
		Name: d.Name, Type: d.Type, TargetType: d.TargetType, DisplayName: d.DisplayName,
		Owner: owner, Created: w.now(), Default: 1, Tags: maps.Clone(d.Tags), Requires: d.Requires,
		Versions: []DocumentVersion{{Number: 1, Name: d.VersionName, Format: d.Format, Content: d.Content, Created: w.now(), Body: body, Files: d.Files}},
	}
	return nil
}

// copyDocument is safe to give away; bodies are never changed. Callers hold w.mu.
func copyDocument(d *Document) *Document {
	c := *d
	c.Versions = slices.Clone(d.Versions)
	c.Tags = maps.Clone(d.Tags)
	c.Shares = slices.Clone(d.Shares)
	return &c
}

// Document finds a document by its name or ARN.
func (w *World) Document(name string) (*Document, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	d, err := w.document(name)
	if err != nil {
		return nil, err
	}
	return copyDocument(d), nil
}

func (w *World) document(name string) (*Document, error) {
	if _, rest, ok := strings.Cut(name, ":document/"); ok && strings.HasPrefix(name, "arn:") {
		name = rest
	}
	d, ok := w.documents[name]
	if !ok {
		return nil, Errorf("InvalidDocument", "Document with name %s does not exist.", name)
	}
	return d, nil
}

// Documents returns all documents in the order of their names.
func (w *World) Documents() []*Document {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]*Document, 0, len(w.documents))
	for _, name := range slices.Sorted(maps.Keys(w.documents)) {
		all = append(all, copyDocument(w.documents[name]))
	}
	return all
}

// CreateDocument adds a document of the account. Its errors are those of the
// API operation.
func (w *World) CreateDocument(d NewDocument) (*Document, error) {
	if len(d.Content) > maxDocument {
		return nil, Errorf("MaxDocumentSizeExceeded", "The size limit of a document is 64 KB.")
	}
	for _, prefix := range []string{"aws", "amazon", "amzn", "AWSEC2", "AWSConfigRemediation", "AWSSupport"} {
		if strings.HasPrefix(strings.ToLower(d.Name), strings.ToLower(prefix)) {
			return nil, Errorf("ValidationException", "Document name %s starts with a reserved prefix: %s", d.Name, prefix)
		}
	}
	if err := CheckTags(d.Tags); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.documents[d.Name]; ok {
		return nil, Errorf("DocumentAlreadyExists", "Document with same name %s already exists", d.Name)
	}
	if w.ownDocuments() >= documentLimit {
		return nil, Errorf("DocumentLimitExceeded", "You can have at most %d active SSM documents.", documentLimit)
	}
	if err := w.addDocument(d, w.sc.Account); err != nil {
		return nil, contentError(err)
	}
	return copyDocument(w.documents[d.Name]), nil
}

// ownDocuments counts the documents of the account. Callers hold w.mu.
func (w *World) ownDocuments() (n int) {
	for _, d := range w.documents {
		if d.Owner == w.sc.Account {
			n++
		}
	}
	return n
}

func contentError(err error) error {
	if e := (*Error)(nil); errors.As(err, &e) {
		return err
	}
	return Errorf("InvalidDocumentContent", "%v", err)
}

// UpdateDocument adds a version that replaces base ($LATEST when empty).
func (w *World) UpdateDocument(d NewDocument, base string) (*Document, DocumentVersion, error) {
	var none DocumentVersion
	w.mu.Lock()
	defer w.mu.Unlock()
	doc, err := w.ownDocument(d.Name)
	if err != nil {
		return nil, none, err
	}
	switch {
	case len(d.Content) > maxDocument:
		return nil, none, Errorf("MaxDocumentSizeExceeded", "The size limit of a document is 64 KB.")
	case base != "" && base != "$LATEST" && base != strconv.Itoa(doc.Latest().Number):
		return nil, none, Errorf("InvalidDocumentVersion", "The document version is not valid or does not exist.")
	case d.Content == doc.Latest().Content:
		return nil, none, Errorf("DuplicateDocumentContent", "The content of the association document matches another document. Change the content of the document and try again.")
	case len(doc.Versions) >= documentVersions:
		return nil, none, Errorf("DocumentVersionLimitExceeded", "The document has too many versions. Delete one or more document versions and try again.")
	}
	if d.VersionName != "" {
		if _, err := doc.VersionNamed(d.VersionName); err == nil {
			return nil, none, Errorf("DuplicateDocumentVersionName", "The version name has already been used in this document. Specify a different version name, and then try again.")
		}
	}
	body, err := ParseBody(d.Content, d.Format, doc.Type)
	if err != nil {
		return nil, none, contentError(err)
	}
	v := DocumentVersion{Number: doc.Latest().Number + 1, Name: d.VersionName, Format: d.Format, Content: d.Content, Created: w.now(), Body: body, Files: d.Files}
	doc.Versions = append(doc.Versions, v)
	if d.DisplayName != "" {
		doc.DisplayName = d.DisplayName
	}
	if d.TargetType != "" {
		doc.TargetType = d.TargetType
	}
	return copyDocument(doc), v, nil
}

// ownDocument finds a document that may be changed. Callers hold w.mu.
func (w *World) ownDocument(name string) (*Document, error) {
	doc, err := w.document(name)
	if err != nil {
		return nil, err
	}
	if doc.Owner != w.sc.Account {
		return nil, Errorf("InvalidDocumentOperation", "Document %s is owned by %s and cannot be changed.", name, doc.Owner)
	}
	return doc, nil
}

// SetDefaultVersion makes version number n the default one.
func (w *World) SetDefaultVersion(name, n string) (DocumentVersion, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	doc, err := w.ownDocument(name)
	if err != nil {
		return DocumentVersion{}, err
	}
	v, err := doc.Version(n)
	if err == nil {
		doc.Default = v.Number
	}
	return v, err
}

// DeleteDocument removes a document, or with version one of its versions.
func (w *World) DeleteDocument(name, version, versionName string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	doc, err := w.ownDocument(name)
	if err != nil {
		return err
	}
	var v DocumentVersion
	switch {
	case version == "" && versionName == "":
		if len(doc.Shares) > 0 {
			return Errorf("InvalidDocumentOperation", "You attempted to delete a document while it is still shared. You must stop sharing the document before you can delete it.")
		}
		delete(w.documents, doc.Name)
		return nil
	case versionName != "":
		v, err = doc.VersionNamed(versionName)
	default:
		v, err = doc.Version(version)
	}
	if err != nil {
		return err
	}
	if v.Number == doc.Default {
		return Errorf("InvalidDocumentOperation", "Default version of the document can't be deleted.")
	}
	doc.Versions = slices.DeleteFunc(doc.Versions, func(dv DocumentVersion) bool { return dv.Number == v.Number })
	return nil
}

// document is the content of the preferences document.
func (p PreferencesSpec) document() string {
	minutes := func(d time.Duration) string {
		if d == 0 {
			return ""
		}
		return strconv.Itoa(int(d.Minutes()))
	}
	content := map[string]any{
		"schemaVersion": "1.0",
		"description":   "Document to hold regional settings for Session Manager",
		"sessionType":   "Standard_Stream",
		"inputs": map[string]any{
			"s3BucketName": p.S3Bucket, "s3KeyPrefix": p.S3Prefix, "s3EncryptionEnabled": true,
			"cloudWatchLogGroupName": p.LogGroup, "cloudWatchEncryptionEnabled": !p.PlainLogs, "cloudWatchStreamingEnabled": p.Streaming,
			"kmsKeyId": p.KMSKey, "runAsEnabled": p.RunAs != "", "runAsDefaultUser": p.RunAs,
			"idleSessionTimeout": minutes(p.IdleTimeout), "maxSessionDuration": minutes(p.MaxDuration),
			"shellProfile": map[string]any{"windows": p.ShellProfileWindows, "linux": p.ShellProfileLinux},
		},
	}
	text, err := json.MarshalIndent(content, "", "  ")
	if err != nil {
		panic(err) // strings and booleans always encode
	}
	return string(text)
}

// Render returns the content in the format wanted. A document is converted
// between JSON and YAML; text stays what it is.
func (v DocumentVersion) Render(want string) (content, format string, err error) {
	if want == v.Format || v.Format == "TEXT" || want == "TEXT" {
		return v.Content, v.Format, nil
	}
	var parsed any
	if err := yaml.Load([]byte(v.Content), &parsed); err != nil { // JSON is YAML too
		return "", "", contentError(err)
	}
	if want == "YAML" {
		out, err := yaml.Dump(parsed)
		return string(out), "YAML", err
	}
	out, err := json.MarshalIndent(parsed, "", "  ")
	return string(out), "JSON", err
}
