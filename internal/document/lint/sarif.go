package lint

import (
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"
	"slices"
)

// File is the report on one file.
type File struct {
	Path string `json:"file"`
	Report
}

// The part of SARIF 2.1.0 that code scanners read (OASIS standard,
// sarif-schema-2.1.0.json).
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID      string     `json:"id"`
		Short   sarifText  `json:"shortDescription"`
		Default sarifLevel `json:"defaultConfiguration"`
	}
	sarifLevel struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
	}
)

// level is a severity in SARIF's words.
func level(s Severity) string {
	if s == Info {
		return "note"
	}
	return string(s)
}

// WriteSARIF writes reports in the form code scanners read: SARIF 2.1.0. version
// is that of the program.
func WriteSARIF(w io.Writer, version string, files []File) error {
	run := sarifRun{
		ColumnKind: "unicodeCodePoints",
		Tool: sarifTool{sarifDriver{
			Name: "ssmdeck", Version: version, InformationURI: "https://github.com/ssmdeck/ssmdeck/blob/main/docs/document-lint.md",
		}},
		Results: []sarifResult{},
	}
	for _, r := range rules {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{r.ID, sarifText{r.Summary}, sarifLevel{level(r.Severity)}})
	}
	for _, f := range files {
		uri := (&url.URL{Path: filepath.ToSlash(f.Path)}).String()
		for _, found := range f.Findings {
			text := found.Message
			if found.Hint != "" {
				text += " (" + found.Hint + ")"
			}
			run.Results = append(run.Results, sarifResult{
				RuleID:    found.Rule,
				RuleIndex: slices.IndexFunc(rules, func(r Rule) bool { return r.ID == found.Rule }),
				Level:     level(found.Severity),
				Message:   sarifText{text},
				Locations: []sarifLocation{{sarifPhysical{sarifArtifact{uri}, sarifRegion{found.Line, found.Column}}}},
			})
		}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
}
