package control

import (
	"path"
	"strconv"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

type createDocumentIn struct {
	Content        string `api:"required,len=1..1000000"`
	Name           string `api:"required" pattern:"^[a-zA-Z0-9_\\-.]{3,128}$"`
	DisplayName    string `api:"len=0..1024" pattern:"^[\\w\\.\\-\\:\\/ ]*$"`
	VersionName    string `pattern:"^[a-zA-Z0-9_\\-.]{1,128}$"`
	DocumentType   string `api:"enum=Command|Policy|Automation|Session|Package|ApplicationConfiguration|ApplicationConfigurationSchema|DeploymentStrategy|ChangeCalendar|Automation.ChangeTemplate|ProblemAnalysis|ProblemAnalysisTemplate|CloudFormation|ConformancePackTemplate|QuickSetup|ManualApprovalPolicy|AutoApprovalPolicy"`
	DocumentFormat string `api:"enum=YAML|JSON|TEXT"`
	TargetType     string `api:"len=0..200" pattern:"^\\/[\\w\\.\\-\\:\\/]*$"`
	Tags           []tag  `api:"items=0..1000"`
	Requires       []any
	Attachments    []attachment `api:"items=0..20"`
}

// attachment is a file of a document: a name, or where to find some.
type attachment struct {
	Key    string
	Values []string
	Name   string
}

// fileNames are the names that attachments have in the document.
func fileNames(list []attachment) []string {
	var names []string
	for _, a := range list {
		name := a.Name
		if name == "" && len(a.Values) > 0 {
			name = path.Base(a.Values[0])
		}
		names = append(names, name)
	}
	return names
}

func (c *call) createDocument(in *createDocumentIn) (any, error) {
	d := world.NewDocument{
		Name: in.Name, Type: in.DocumentType, Format: in.DocumentFormat, Content: in.Content,
		VersionName: in.VersionName, TargetType: in.TargetType, DisplayName: in.DisplayName, Tags: tagMap(in.Tags),
		Requires: in.Requires, Files: fileNames(in.Attachments),
	}
	if d.Type == "" {
		d.Type = "Command"
	}
	if d.Format == "" {
		d.Format = "JSON"
	}
	doc, err := c.world.CreateDocument(d)
	if err != nil {
		return nil, err
	}
	desc := describe(doc, doc.Latest())
	desc.Status = "Creating" // what the service says at first
	return map[string]any{"DocumentDescription": desc}, nil
}

type updateDocumentIn struct {
	Content         string       `api:"required,len=1..1000000"`
	Name            string       `api:"required" pattern:"^[a-zA-Z0-9_\\-.]{3,128}$"`
	DisplayName     string       `api:"len=0..1024" pattern:"^[\\w\\.\\-\\:\\/ ]*$"`
	VersionName     string       `pattern:"^[a-zA-Z0-9_\\-.]{1,128}$"`
	DocumentVersion string       `pattern:"([$]LATEST|[$]DEFAULT|^[1-9][0-9]*$)"`
	DocumentFormat  string       `api:"enum=YAML|JSON|TEXT"`
	TargetType      string       `api:"len=0..200" pattern:"^\\/[\\w\\.\\-\\:\\/]*$"`
	Attachments     []attachment `api:"items=0..20"`
}

func (c *call) updateDocument(in *updateDocumentIn) (any, error) {
	d := world.NewDocument{
		Name: in.Name, Format: in.DocumentFormat, Content: in.Content, VersionName: in.VersionName,
		DisplayName: in.DisplayName, TargetType: in.TargetType, Files: fileNames(in.Attachments),
	}
	if d.Format == "" {
		d.Format = "JSON"
	}
	doc, v, err := c.world.UpdateDocument(d, in.DocumentVersion)
	if err != nil {
		return nil, err
	}
	desc := describe(doc, v)
	desc.Status = "Updating"
	return map[string]any{"DocumentDescription": desc}, nil
}

// deleteDocument refuses what associations still use, unless forced.
func (c *call) deleteDocument(t *world.Tables, in request) (any, error) {
	name, version, versionName := in.text("Name"), in.text("DocumentVersion"), in.text("VersionName")
	if version == "" && versionName == "" {
		for _, a := range t.All(world.KindAssociation) {
			if textOf(a, "Name") == name {
				return nil, world.Errorf("AssociatedInstances", "You must disassociate document %s from all managed nodes before you can delete it.", name)
			}
		}
	}
	return empty(), c.world.DeleteDocument(name, version, versionName)
}

type updateDocumentDefaultVersionIn struct {
	Name            string `api:"required" pattern:"^[a-zA-Z0-9_\\-.]{3,128}$"`
	DocumentVersion string `api:"required" pattern:"(^[1-9][0-9]*$)"`
}

func (c *call) updateDocumentDefaultVersion(in *updateDocumentDefaultVersionIn) (any, error) {
	v, err := c.world.SetDefaultVersion(in.Name, in.DocumentVersion)
	if err != nil {
		return nil, err
	}
	desc := map[string]string{"Name": in.Name, "DefaultVersion": strconv.Itoa(v.Number)}
	if v.Name != "" {
		desc["DefaultVersionName"] = v.Name
	}
	return map[string]any{"Description": desc}, nil
}
