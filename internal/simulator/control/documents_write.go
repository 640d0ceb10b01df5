package control

import (
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
}

func (c *call) createDocument(in *createDocumentIn) (any, error) {
	d := world.NewDocument{
		Name: in.Name, Type: in.DocumentType, Format: in.DocumentFormat, Content: in.Content,
		VersionName: in.VersionName, TargetType: in.TargetType, DisplayName: in.DisplayName, Tags: tagMap(in.Tags),
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
	Content         string `api:"required,len=1..1000000"`
	Name            string `api:"required" pattern:"^[a-zA-Z0-9_\\-.]{3,128}$"`
	DisplayName     string `api:"len=0..1024" pattern:"^[\\w\\.\\-\\:\\/ ]*$"`
	VersionName     string `pattern:"^[a-zA-Z0-9_\\-.]{1,128}$"`
	DocumentVersion string `pattern:"([$]LATEST|[$]DEFAULT|^[1-9][0-9]*$)"`
	DocumentFormat  string `api:"enum=YAML|JSON|TEXT"`
	TargetType      string `api:"len=0..200" pattern:"^\\/[\\w\\.\\-\\:\\/]*$"`
}

func (c *call) updateDocument(in *updateDocumentIn) (any, error) {
	d := world.NewDocument{Name: in.Name, Format: in.DocumentFormat, Content: in.Content, VersionName: in.VersionName}
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

type deleteDocumentIn struct {
	Name            string `api:"required" pattern:"^[a-zA-Z0-9_\\-.]{3,128}$"`
	DocumentVersion string `pattern:"([$]LATEST|[$]DEFAULT|^[1-9][0-9]*$)"`
	VersionName     string `pattern:"^[a-zA-Z0-9_\\-.]{1,128}$"`
	Force           bool
}

func (c *call) deleteDocument(in *deleteDocumentIn) (any, error) {
	return struct{}{}, c.world.DeleteDocument(in.Name, in.DocumentVersion, in.VersionName)
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

// taggedIn names a resource that can have tags.
type taggedIn struct {
	ResourceType string `api:"required,enum=Document|ManagedInstance|MaintenanceWindow|Parameter|PatchBaseline|OpsItem|OpsMetadata|Automation|Association"`
	ResourceID   string `json:"ResourceId" api:"required"`
}

func (c *call) listTagsForResource(in *taggedIn) (any, error) {
	tags, err := c.world.Tags(in.ResourceType, in.ResourceID)
	if err != nil {
		return nil, err
	}
	return map[string]any{"TagList": tagList(tags)}, nil
}

type addTagsIn struct {
	ResourceType string `api:"required,enum=Document|ManagedInstance|MaintenanceWindow|Parameter|PatchBaseline|OpsItem|OpsMetadata|Automation|Association"`
	ResourceID   string `json:"ResourceId" api:"required"`
	Tags         []tag  `api:"required,items=0..1000"`
}

func (c *call) addTagsToResource(in *addTagsIn) (any, error) {
	return struct{}{}, c.world.ChangeTags(in.ResourceType, in.ResourceID, tagMap(in.Tags), nil)
}

type removeTagsIn struct {
	ResourceType string   `api:"required,enum=Document|ManagedInstance|MaintenanceWindow|Parameter|PatchBaseline|OpsItem|OpsMetadata|Automation|Association"`
	ResourceID   string   `json:"ResourceId" api:"required"`
	TagKeys      []string `api:"required,len=1..128"`
}

func (c *call) removeTagsFromResource(in *removeTagsIn) (any, error) {
	return struct{}{}, c.world.ChangeTags(in.ResourceType, in.ResourceID, nil, in.TagKeys)
}

type getServiceSettingIn struct {
	SettingID string `json:"SettingId" api:"required,len=1..1000"`
}

func (c *call) getServiceSetting(in *getServiceSettingIn) (any, error) {
	s, err := c.world.ServiceSetting(in.SettingID)
	if err != nil {
		return nil, err
	}
	return map[string]any{"ServiceSetting": struct {
		SettingID        string `json:"SettingId"`
		SettingValue     string
		LastModifiedDate epoch
		LastModifiedUser string
		ARN              string
		Status           string
	}{s.ID, s.Value, epoch{s.Modified}, s.User, c.world.ARN("ssm", "servicesetting"+s.ID), s.Status}}, nil
}
