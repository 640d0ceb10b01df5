package document

import (
	"embed"
	"path"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

//go:embed templates
var templates embed.FS

// Templates returns the types that there is a template for.
func Templates() []string {
	entries, err := templates.ReadDir("templates")
	if err != nil {
		panic(err) // it is part of the binary
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), path.Ext(e.Name())))
	}
	slices.Sort(names)
	return names
}

// Template returns the text of a new document of a type, with comments that
// explain it, and the format it is written in.
func Template(docType string) (text, format string, err error) {
	for _, ext := range []string{".yaml", ".json", ".ics"} {
		data, err := templates.ReadFile("templates/" + docType + ext)
		if err != nil {
			continue
		}
		format := map[string]string{".yaml": FormatYAML, ".json": FormatJSON, ".ics": FormatText}[ext]
		if text = string(data); ext == ".ics" {
			text = strings.ReplaceAll(text, "\n", "\r\n") // RFC 5545, 3.1
		}
		return text, format, nil
	}
	return "", "", fault.Usagef("there is no template for documents of type %s", docType).
		WithHint("there are templates for %s", strings.Join(Templates(), ", "))
}
