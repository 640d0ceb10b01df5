package paramfile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

// columns of CSV files that this package writes.
var columns = []string{"name", "type", "value", "tier", "key_id", "data_type", "description", "allowed_pattern", "policies", "tags"}

// The library's reader changes ends of lines inside of fields, which may be values.

func encodeCSV(b *bufio.Writer, list []item, _ Options) error {
	b.WriteString(strings.Join(columns, ",") + "\n")
	for _, it := range list {
		policies, tags := "", ""
		if len(it.Policies) > 0 {
			var text bytes.Buffer
			writeJSONList(&text, policyTexts(it.Parameter))
			policies = text.String()
		}
		if len(it.Tags) > 0 {
			var text bytes.Buffer
			writeJSONMap(&text, it.Tags)
			tags = text.String()
		}
		for i, v := range []string{
			it.name, it.Type, it.Value, it.Tier, it.KeyID, it.DataType, it.Description, it.AllowedPattern, policies, tags,
		} {
			if i > 0 {
				b.WriteByte(',')
			}
			if v != strings.TrimSpace(v) || strings.ContainsAny(v, ",\"\r\n;\t") {
				b.WriteString(`"` + strings.ReplaceAll(v, `"`, `""`) + `"`)
			} else {
				b.WriteString(v)
			}
		}
		b.WriteByte('\n')
	}
	return nil
}

// record is one line of a CSV file, which may go over several.
type record struct {
	line   int
	fields []string
}

// records reads RFC 4180 to the byte. Ends of lines outside of quotes may be CR LF.
func (d *decoder) records(data []byte) (out []record) {
	s := string(data)
	line := 1
	for i := 0; i < len(s); {
		r := record{line: line}
		for end := false; !end; {
			var field strings.Builder
			if i < len(s) && s[i] == '"' {
				begun := line
				i++
				for {
					j := strings.IndexByte(s[i:], '"')
					if j < 0 {
						d.fail(begun, "a quote that begins here does not end")
						return nil
					}
					field.WriteString(s[i : i+j])
					line += strings.Count(s[i:i+j], "\n")
					i += j + 1
					if i < len(s) && s[i] == '"' {
						field.WriteByte('"')
						i++
						continue
					}
					break
				}
				if rest := s[i:]; rest != "" && rest[0] != ',' && rest[0] != '\n' && !strings.HasPrefix(rest, "\r\n") && rest != "\r" {
					d.fail(line, "there is text behind the quotes of a field; a quote in a field is written twice")
					return nil
				}
			}
			j := strings.IndexAny(s[i:], ",\n")
			if j < 0 {
				j = len(s) - i
			}
			text := s[i : i+j]
			i += j
			end = i >= len(s) || s[i] == '\n'
			if end {
				text = strings.TrimSuffix(text, "\r")
			}
			if strings.Contains(text, `"`) {
				d.fail(line, "a field with a quote in it must be in quotes")
				return nil
			}
			field.WriteString(text)
			r.fields = append(r.fields, field.String())
			if i < len(s) {
				if s[i] == '\n' {
					line++
				}
				i++
			}
		}
		if len(r.fields) > 1 || r.fields[0] != "" {
			out = append(out, r)
		}
	}
	return out
}

func decodeCSV(d *decoder, data []byte) {
	rows := d.records(data)
	if len(rows) == 0 {
		if len(d.faults) == 0 && len(bytes.TrimSpace(data)) > 0 {
			d.fail(1, "there is no header")
		}
		return
	}
	head := rows[0]
	for i, title := range head.fields {
		head.fields[i] = field(strings.TrimSpace(title))
		known := append(slices.Clone(fields), ofOneVersion...)
		switch {
		case slices.Index(head.fields, head.fields[i]) < i:
			d.fail(head.line, "column %q is there twice", title)
		case !slices.Contains(known, head.fields[i]):
			near := ""
			if word := fault.Nearest(head.fields[i], columns); word != "" {
				near = " (did you mean " + word + "?)"
			}
			d.fail(head.line, "column %d is no field of a parameter%s; the first line names the columns, such as name,type,value", i+1, near)
		}
	}
	for _, needed := range []string{fieldName, fieldValue} {
		if !slices.Contains(head.fields, needed) {
			d.fail(head.line, "there is no column %q; the first line names the columns, such as name,type,value", needed)
		}
	}
	if len(d.faults) > 0 {
		return
	}
	for _, row := range rows[1:] {
		if len(row.fields) != len(head.fields) {
			d.fail(row.line, "this line has %d fields, and the header %d", len(row.fields), len(head.fields))
			continue
		}
		d.row(row, head.fields)
	}
}

// row reads one parameter.
func (d *decoder) row(row record, titles []string) {
	var p parameter.Parameter
	name, good := "", true
	bad := func(format string, args ...any) {
		d.fail(row.line, format, args...)
		good = false
	}
	for i, text := range row.fields {
		if text == "" {
			continue
		}
		switch titles[i] {
		case fieldName:
			name = text
		case fieldValue:
			p.Value = text
		case fieldType:
			p.Type = text
			if !slices.Contains([]string{parameter.String, parameter.StringList, parameter.SecureString}, text) {
				bad("the type must be String, StringList or SecureString")
			}
		case fieldTier:
			p.Tier = text
		case fieldKey:
			p.KeyID = text
		case fieldData:
			p.DataType = text
		case fieldAbout:
			p.Description = text
		case fieldPattern:
			p.AllowedPattern = text
		case fieldRules:
			var texts []string
			if err := json.Unmarshal([]byte(text), &texts); err != nil {
				bad("policies must be a JSON list of texts")
			}
			for _, t := range texts {
				rule, err := policyOf(t)
				if err != nil {
					bad("a policy is %s", err)
				}
				p.Policies = append(p.Policies, rule)
			}
		case fieldTags:
			if err := json.Unmarshal([]byte(text), &p.Tags); err != nil {
				bad("tags must be a JSON object of texts")
			}
		}
	}
	if name == "" {
		bad("the name is empty")
	}
	if good {
		d.add(row.line, name, p)
	}
}
