package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/ssmdeck/ssmdeck/internal/textdiff"
)

// Side is one of two texts that are compared.
type Side struct {
	Label  string // what the difference calls it
	Format string // JSON, YAML, TEXT
	Text   string
}

// Same reports whether two sides mean the same: YAML and JSON by their content,
// whatever their layout, comments and order of keys; what cannot be parsed, and
// TEXT, byte for byte but for the kind of line breaks.
func Same(a, b Side) bool {
	if a.Text == b.Text {
		return true
	}
	am, aerr := meaning(a.Text, a.Format)
	bm, berr := meaning(b.Text, b.Format)
	if aerr != nil || berr != nil || am == nil || bm == nil {
		return unixBreaks(a.Text) == unixBreaks(b.Text)
	}
	return canonical(am) == canonical(bm)
}

func unixBreaks(s string) string {
	return strings.TrimRight(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
}

// canonical writes a meaning in one way: JSON with sorted keys. Numbers stand as
// Go prints them, so that 5 and 5.0 are the same, and 5 and "5" are not.
func canonical(v any) string {
	j, err := json.Marshal(plain(v))
	if err != nil {
		return fmt.Sprintf("%#v", v) // what JSON cannot carry equals only itself
	}
	return string(j)
}

// plain makes numbers of both parsers alike, and keys text.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[k] = plain(e)
		}
		return m
	case map[any]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[fmt.Sprint(k)] = plain(e)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = plain(e)
		}
		return list
	case json.Number:
		if f, err := v.Float64(); err == nil && len(v) <= 15 {
			return f
		}
		return v
	case int:
		if v > 1e15 || v < -1e15 {
			return json.Number(fmt.Sprint(v))
		}
		return float64(v)
	case time.Time:
		return v.Format(time.RFC3339Nano)
	}
	return v
}

// Diff returns the difference of two sides in unified form, a line an element,
// none when they mean the same. Sides of different formats are compared as YAML
// with sorted keys; others as they are written.
func Diff(a, b Side) []string {
	if Same(a, b) {
		return nil
	}
	if a.Format == b.Format {
		if a.Format == FormatJSON { // the service, and people, write one-line JSON too
			a.Text, b.Text = Indented(a.Text), Indented(b.Text)
		}
		return textdiff.Unified(a.Label, b.Label, unixBreaks(a.Text)+"\n", unixBreaks(b.Text)+"\n")
	}
	return textdiff.Unified(a.Label, b.Label, normal(a), normal(b))
}

// DiffBytes compares two sides byte for byte.
func DiffBytes(a, b Side) []string { return textdiff.Unified(a.Label, b.Label, a.Text, b.Text) }

// normal is a side in YAML with sorted keys, or as it is when it cannot be that.
func normal(s Side) string {
	body, err := meaning(s.Text, s.Format)
	if err != nil || body == nil {
		return s.Text
	}
	out, err := yaml.Dump(plain(body), layout...)
	if err != nil {
		return s.Text
	}
	return string(out)
}

// Indented lays JSON out for people. What is no JSON stays as it is.
func Indented(text string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(strings.TrimSpace(text)), "", "  ") != nil {
		return text
	}
	return b.String() + "\n"
}
