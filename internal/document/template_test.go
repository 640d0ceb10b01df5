package document

import (
	"slices"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/document/lint"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func TestTemplatesHaveNoFindings(t *testing.T) {
	names := Templates()
	for _, must := range []string{"Automation", "Command", "Package", "Policy", "Session"} {
		if !slices.Contains(names, must) {
			t.Errorf("there is no template for %s", must)
		}
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			if !slices.Contains(Types(), name) {
				t.Errorf("%s is no type of document", name)
			}
			text, format, err := Template(name)
			if err != nil {
				t.Fatal(err)
			}
			report, err := lint.Check([]byte(text), lint.Options{Type: name, Name: "template"})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range report.Findings {
				t.Errorf("line %d: %s: %s", f.Line, f.Rule, f.Message)
			}
			src, err := ReadSource(name, []byte(text), "")
			if err != nil || src.Format != format {
				t.Fatalf("%s, %v, want %s", src.Format, err, format)
			}
			if err := src.Check(name); err != nil {
				t.Error(err)
			}
			if guess := src.Type(); guess != "" && guess != name && name != "Policy" {
				t.Errorf("it looks like a document of type %s", guess)
			}
		})
	}
}

func TestTemplateOfAnUnknownType(t *testing.T) {
	if _, _, err := Template("QuickSetup"); fault.KindOf(err) != fault.Usage || fault.HintOf(err) == "" {
		t.Error(err)
	}
}
