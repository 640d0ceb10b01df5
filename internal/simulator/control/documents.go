package control

import (
	"crypto/sha1" //nolint:gosec // a field of the API, not a protection
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

type tag struct {
	Key   string `api:"required,len=1..128" pattern:"^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)$"`
	Value string `api:"required,len=0..256" pattern:"^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)$"`
}

func tagMap(tags []tag) map[string]string {
	m := map[string]string{}
	for _, t := range tags {
		m[t.Key] = t.Value
	}
	return m
}

func tagList(m map[string]string) []tag {
	list := make([]tag, 0, len(m))
	for k, v := range m {
		list = append(list, tag{k, v})
	}
	slices.SortFunc(list, func(a, b tag) int { return strings.Compare(a.Key, b.Key) })
	return list
}

type documentParameter struct {
	Name         string
	Type         string
	Description  string `json:"Description,omitempty"`
	DefaultValue string `json:"DefaultValue,omitempty"`
}

type documentDescription struct {
	Sha1            string `json:"Sha1,omitempty"`
	Hash            string
	HashType        string
	Name            string
	DisplayName     string `json:"DisplayName,omitempty"`
	VersionName     string `json:"VersionName,omitempty"`
	Owner           string
	CreatedDate     epoch
	Status          string
	DocumentVersion string
	Description     string              `json:"Description,omitempty"`
	Parameters      []documentParameter `json:"Parameters,omitempty"`
	PlatformTypes   []string
	DocumentType    string
	SchemaVersion   string
	LatestVersion   string
	DefaultVersion  string
	DocumentFormat  string
	TargetType      string `json:"TargetType,omitempty"`
	Tags            []tag
	Requires        []any            `json:"Requires,omitempty"`
	Attachments     []attachmentName `json:"AttachmentsInformation,omitempty"`
	ReviewStatus    string           `json:"ReviewStatus,omitempty"`
	Reviews         []reviewItem     `json:"ReviewInformation,omitempty"`
}

type attachmentName struct{ Name string }

type reviewItem struct {
	ReviewedTime     epoch
	Status, Reviewer string
}

func describe(d *world.Document, v world.DocumentVersion) documentDescription {
	sum := sha1.Sum([]byte(v.Content)) //nolint:gosec // see above
	out := documentDescription{
		Sha1: hex.EncodeToString(sum[:]), Hash: v.Hash(), HashType: "Sha256", Name: d.Name, DisplayName: d.DisplayName,
		VersionName: v.Name, Owner: d.Owner, CreatedDate: epoch{v.Created}, Status: "Active",
		DocumentVersion: strconv.Itoa(v.Number), Description: v.Body.Description, PlatformTypes: v.Body.Platforms(),
		DocumentType: d.Type, SchemaVersion: v.Body.SchemaVersion, LatestVersion: strconv.Itoa(d.Latest().Number),
		DefaultVersion: strconv.Itoa(d.Default), DocumentFormat: v.Format, TargetType: d.TargetType, Tags: tagList(d.Tags),
		Requires: d.Requires, ReviewStatus: v.ReviewStatus(),
	}
	for _, name := range v.Files {
		out.Attachments = append(out.Attachments, attachmentName{name})
	}
	for _, r := range v.Reviews {
		out.Reviews = append(out.Reviews, reviewItem{epoch{r.Created}, r.Status, r.Reviewer})
	}
	for _, name := range v.Body.ParameterNames() {
		p := v.Body.Parameters[name]
		out.Parameters = append(out.Parameters, documentParameter{name, p.Type, p.Description, defaultText(p.Default)})
	}
	return out
}

func defaultText(v any) string {
	if s, ok := v.(string); ok || v == nil {
		return s
	}
	j, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(j)
}

type describeDocumentIn struct {
	Name            string `api:"required" pattern:"^[a-zA-Z0-9_\\-.:/]{3,128}$"`
	DocumentVersion string `pattern:"([$]LATEST|[$]DEFAULT|^[1-9][0-9]*$)"`
	VersionName     string `pattern:"^[a-zA-Z0-9_\\-.]{1,128}$"`
}

// documentVersion finds a document and the version asked for.
func (c *call) documentVersion(name, version, versionName string) (*world.Document, world.DocumentVersion, error) {
	d, err := c.world.Document(name)
	if err != nil {
		return nil, world.DocumentVersion{}, err
	}
	if versionName != "" {
		v, err := d.VersionNamed(versionName)
		return d, v, err
	}
	v, err := d.Version(version)
	return d, v, err
}

func (c *call) describeDocument(in *describeDocumentIn) (any, error) {
	d, v, err := c.documentVersion(in.Name, in.DocumentVersion, in.VersionName)
	if err != nil {
		return nil, err
	}
	return map[string]any{"Document": describe(d, v)}, nil
}

type getDocumentIn struct {
	Name            string `api:"required" pattern:"^[a-zA-Z0-9_\\-.:/]{3,128}$"`
	DocumentVersion string `pattern:"([$]LATEST|[$]DEFAULT|^[1-9][0-9]*$)"`
	VersionName     string `pattern:"^[a-zA-Z0-9_\\-.]{1,128}$"`
	DocumentFormat  string `api:"enum=YAML|JSON|TEXT"`
}

type getDocumentOut struct {
	Name            string
	CreatedDate     epoch
	DisplayName     string `json:"DisplayName,omitempty"`
	VersionName     string `json:"VersionName,omitempty"`
	DocumentVersion string
	Status          string
	Content         string
	DocumentType    string
	DocumentFormat  string
}

func (c *call) getDocument(in *getDocumentIn) (any, error) {
	d, v, err := c.documentVersion(in.Name, in.DocumentVersion, in.VersionName)
	if err != nil {
		return nil, err
	}
	want := in.DocumentFormat
	if want == "" {
		want = "JSON" // "JSON is the default format" (API reference, GetDocument)
	}
	content, format, err := v.Render(want)
	if err != nil {
		return nil, err
	}
	return getDocumentOut{
		Name: d.Name, CreatedDate: epoch{v.Created}, DisplayName: d.DisplayName, VersionName: v.Name,
		DocumentVersion: strconv.Itoa(v.Number), Status: "Active", Content: content, DocumentType: d.Type, DocumentFormat: format,
	}, nil
}

type listDocumentsIn struct {
	DocumentFilterList []struct {
		Key   string `json:"key" api:"required,enum=Name|Owner|PlatformTypes|DocumentType"`
		Value string `json:"value" api:"required,len=1..100000"`
	}
	Filters []struct {
		Key    string   `api:"len=1..128"`
		Values []string `api:"len=1..256"`
	} `api:"items=0..6"`
	MaxResults *int `api:"range=1..50"`
	NextToken  string
}

type documentIdentifier struct {
	Name            string
	CreatedDate     epoch
	DisplayName     string `json:"DisplayName,omitempty"`
	Owner           string
	VersionName     string `json:"VersionName,omitempty"`
	PlatformTypes   []string
	DocumentVersion string
	DocumentType    string
	SchemaVersion   string
	DocumentFormat  string
	TargetType      string `json:"TargetType,omitempty"`
	Tags            []tag
}

type documentFilter struct {
	key    string
	values []string
}

func (f documentFilter) matches(d *world.Document, v world.DocumentVersion, account string) bool {
	if name, ok := strings.CutPrefix(f.key, "tag:"); ok {
		have, ok := d.Tags[name]
		return ok && slices.Contains(f.values, have)
	}
	return slices.ContainsFunc(f.values, func(want string) bool {
		switch f.key {
		case "Name":
			return strings.HasPrefix(d.Name, want)
		case "Owner":
			return want == "All" || d.Owner == want || want == "Self" && d.Owner == account ||
				want == "Private" && d.Owner == account && len(d.Shares) == 0 || want == "Public" && d.Owner != account
		case "PlatformTypes":
			return slices.Contains(v.Body.Platforms(), want)
		case "DocumentType":
			return d.Type == want
		case "TargetType":
			return d.TargetType == want
		case "SearchKeyword":
			return strings.Contains(strings.ToLower(d.Name+" "+v.Body.Description), strings.ToLower(want))
		}
		return false
	})
}

func (c *call) listDocuments(in *listDocumentsIn) (any, error) {
	var filters []documentFilter
	for _, f := range in.DocumentFilterList {
		filters = append(filters, documentFilter{f.Key, []string{f.Value}})
	}
	for _, f := range in.Filters {
		known := []string{"Name", "Owner", "PlatformTypes", "DocumentType", "TargetType", "SearchKeyword"}
		if !slices.Contains(known, f.Key) && !strings.HasPrefix(f.Key, "tag:") {
			return nil, world.Errorf("InvalidFilterKey", "The specified key is not valid: %s.", f.Key)
		}
		filters = append(filters, documentFilter{f.Key, f.Values})
	}
	docs := slices.DeleteFunc(c.world.Documents(), func(d *world.Document) bool {
		v, err := d.Version("")
		return err != nil || slices.ContainsFunc(filters, func(f documentFilter) bool { return !f.matches(d, v, c.world.Account()) })
	})
	docs, token, err := page(c, "ListDocuments", docs, func(d *world.Document) string { return d.Name }, in.NextToken, in.MaxResults, 50)
	if err != nil {
		return nil, err
	}
	out := struct {
		DocumentIdentifiers []documentIdentifier
		NextToken           string `json:"NextToken,omitempty"`
	}{[]documentIdentifier{}, token}
	for _, d := range docs {
		v, err := d.Version("")
		if err != nil {
			return nil, err
		}
		out.DocumentIdentifiers = append(out.DocumentIdentifiers, documentIdentifier{
			Name: d.Name, CreatedDate: epoch{v.Created}, DisplayName: d.DisplayName, Owner: d.Owner, VersionName: v.Name,
			PlatformTypes: v.Body.Platforms(), DocumentVersion: strconv.Itoa(v.Number), DocumentType: d.Type,
			SchemaVersion: v.Body.SchemaVersion, DocumentFormat: v.Format, TargetType: d.TargetType, Tags: tagList(d.Tags),
		})
	}
	return out, nil
}
