package control

import (
	"slices"
	"strconv"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// documentOperations are those on documents beyond reading and writing them.
func documentOperations() map[string]operation {
	return map[string]operation{
		"DeleteDocument":              recorded((*call).deleteDocument),
		"ListDocumentVersions":        untyped((*call).listDocumentVersions),
		"ModifyDocumentPermission":    untyped((*call).modifyDocumentPermission),
		"DescribeDocumentPermission":  untyped((*call).describeDocumentPermission),
		"UpdateDocumentMetadata":      untyped((*call).updateDocumentMetadata),
		"ListDocumentMetadataHistory": untyped((*call).listDocumentMetadataHistory),
	}
}

// listDocumentVersions lists the newest first.
func (c *call) listDocumentVersions(in request) (any, error) {
	d, err := c.world.Document(in.text("Name"))
	if err != nil {
		return nil, err
	}
	var list []world.Record
	for _, v := range slices.Backward(d.Versions) {
		list = append(list, world.Record{
			"Name": d.Name, "DisplayName": d.DisplayName, "DocumentVersion": strconv.Itoa(v.Number), "VersionName": v.Name,
			"CreatedDate": v.Created, "IsDefaultVersion": v.Number == d.Default, "DocumentFormat": v.Format, "Status": "Active",
			"ReviewStatus": v.ReviewStatus(),
		})
	}
	return c.listing("ListDocumentVersions", "DocumentVersions", "DocumentVersion", list, in, 50)
}

func (c *call) modifyDocumentPermission(in request) (any, error) {
	return empty(), c.world.ShareDocument(in.text("Name"), in.texts("AccountIdsToAdd"), in.texts("AccountIdsToRemove"), in.text("SharedDocumentVersion"))
}

func (c *call) describeDocumentPermission(in request) (any, error) {
	shares, err := c.world.Shares(in.text("Name"))
	if err != nil {
		return nil, err
	}
	shares, token, err := page(c, "DescribeDocumentPermission", shares, func(s world.Share) string { return s.Account }, in.text("NextToken"), in.size(), 200)
	if err != nil {
		return nil, err
	}
	ids, infos := []any{}, []any{}
	for _, s := range shares {
		ids = append(ids, s.Account)
		infos = append(infos, world.Record{"AccountId": s.Account, "SharedDocumentVersion": s.Version})
	}
	return world.Record{"AccountIds": ids, "AccountSharingInfoList": infos, "NextToken": token}, nil
}

func (c *call) updateDocumentMetadata(in request) (any, error) {
	review := in.object("DocumentReviews")
	comments, _ := review["Comment"].([]any)
	return empty(), c.world.ReviewDocument(in.text("Name"), in.text("DocumentVersion"), review.text("Action"), c.caller.Name, comments)
}

func (c *call) listDocumentMetadataHistory(in request) (any, error) {
	version := in.text("DocumentVersion")
	if version == "" {
		version = "$LATEST"
	}
	d, v, err := c.documentVersion(in.text("Name"), version, "")
	if err != nil {
		return nil, err
	}
	var list []world.Record
	for i, r := range v.Reviews {
		list = append(list, world.Record{
			"CreateTime": r.Created, "UpdatedTime": r.Created, "ReviewStatus": r.Status, "Comment": r.Comments, "Reviewer": r.Reviewer,
			"place": strconv.Itoa(i),
		})
	}
	list, token, err := page(c, "ListDocumentMetadataHistory", list, func(r world.Record) string { return textOf(r, "place") }, in.text("NextToken"), in.size(), 50)
	if err != nil {
		return nil, err
	}
	return world.Record{
		"Name": d.Name, "DocumentVersion": strconv.Itoa(v.Number), "Author": d.Owner,
		"Metadata": world.Record{"ReviewerResponse": list}, "NextToken": token,
	}, nil
}
