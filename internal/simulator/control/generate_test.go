package control

import (
	"encoding/base64"
	"fmt"
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/simulator/model"
)

// minimal makes the smallest value that a shape takes: required members only,
// lists and maps as short as they may be, but not empty.
func minimal(s *model.Shape) any { return minimalIn(s, map[*model.Shape]bool{}) }

func minimalIn(s *model.Shape, within map[*model.Shape]bool) any {
	switch s.Kind {
	case model.Structure, model.Union:
		if within[s] {
			return map[string]any{}
		}
		within[s] = true
		defer delete(within, s)
		out := map[string]any{}
		for i, m := range s.Members {
			if m.Required || s.Kind == model.Union && i == 0 {
				out[m.Name] = minimalIn(m.Shape, within)
			}
		}
		return out
	case model.List:
		out := []any{}
		for range max(1, least(s)) {
			out = append(out, minimalIn(s.Element, within))
		}
		return out
	case model.Map:
		out := map[string]any{}
		for i := range max(1, least(s)) {
			out[minimalText(s.Key)+strings.Repeat("a", i)] = minimalIn(s.Element, within)
		}
		return out
	case model.Integer, model.Long:
		return least(s)
	case model.Boolean:
		return false
	case model.Timestamp:
		return noon.Unix()
	case model.Blob:
		return base64.StdEncoding.EncodeToString([]byte("blob"))
	}
	return minimalText(s)
}

func least(s *model.Shape) int {
	if s.Min == nil {
		return 0
	}
	return int(*s.Min)
}

// minimalText makes a text that fulfils a shape.
func minimalText(s *model.Shape) string {
	if len(s.Enum) > 0 {
		return s.Enum[0]
	}
	n := max(1, least(s))
	text := strings.Repeat("a", n)
	if s.Matches(text) {
		return text
	}
	parsed, err := syntax.Parse(s.Pattern, syntax.Perl)
	if err != nil {
		return "2026-03-01" // the one that Go cannot read is that of dates
	}
	for more := range 64 { // repeat what may be repeated until it is long enough
		text = example(parsed, more)
		if utf8.RuneCountInString(text) >= n && s.Matches(text) {
			return text
		}
	}
	panic(fmt.Sprintf("no example for %s %q", s.Name, s.Pattern))
}

// example makes a text that a regular expression matches, with more repetitions
// than it needs.
func example(re *syntax.Regexp, more int) string {
	var b strings.Builder
	write(&b, re, more)
	return b.String()
}

func write(b *strings.Builder, re *syntax.Regexp, more int) {
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			b.WriteRune(r)
		}
	case syntax.OpCharClass:
		r := re.Rune[0]
		for i := 0; i+1 < len(re.Rune); i += 2 { // a letter or digit where one will do
			for _, nice := range "a0A" {
				if re.Rune[i] <= nice && nice <= re.Rune[i+1] {
					b.WriteRune(nice)
					return
				}
			}
		}
		b.WriteRune(max(r, ' '))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('a')
	case syntax.OpConcat, syntax.OpCapture:
		for _, sub := range re.Sub {
			write(b, sub, more)
		}
	case syntax.OpAlternate:
		write(b, re.Sub[0], more)
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		low, high := 0, 1+more
		switch re.Op {
		case syntax.OpPlus:
			low = 1
		case syntax.OpQuest:
			high = 1
		case syntax.OpRepeat:
			low, high = re.Min, re.Max
		}
		n := low + more
		if high >= 0 {
			n = min(n, max(high, low))
		}
		for range n {
			write(b, re.Sub[0], more)
		}
	}
}

// violation is a request that breaks one rule.
type violation struct {
	what  string
	where string
	body  map[string]any
}

// violations makes one request for each constraint that an operation's request
// has at its top and one level below.
func violations(o *model.Operation) []violation {
	var out []violation
	full := func() map[string]any { return minimal(o.Request).(map[string]any) }
	for _, m := range o.Request.Members {
		if m.Required {
			body := full()
			delete(body, m.Name)
			out = append(out, violation{"missing", m.Name, body})
		}
		for what, v := range breaches(m.Shape) {
			body := full()
			body[m.Name] = v
			out = append(out, violation{what, m.Name, body})
		}
		for what, v := range inner(m.Shape) {
			body := full()
			body[m.Name] = v
			out = append(out, violation{what + " inside", m.Name, body})
		}
	}
	return out
}

// inner are breaches of the elements of a list or map, or the members of a
// structure.
func inner(s *model.Shape) map[string]any {
	out := map[string]any{}
	switch s.Kind {
	case model.List:
		for what, v := range breaches(s.Element) {
			out[what] = []any{v}
		}
	case model.Map:
		for what, v := range breaches(s.Element) {
			out[what] = map[string]any{minimalText(s.Key): v}
		}
	case model.Structure:
		for _, m := range s.Members {
			if m.Required {
				v, _ := minimal(s).(map[string]any)
				delete(v, m.Name)
				out["missing "+m.Name] = v
			}
			for what, b := range breaches(m.Shape) {
				v, _ := minimal(s).(map[string]any)
				v[m.Name] = b
				out[what+" "+m.Name] = v
			}
		}
	}
	return out
}

// breaches are values that break one constraint each.
func breaches(s *model.Shape) map[string]any {
	out := map[string]any{}
	const most = 20_000 // larger bodies are no requests
	switch s.Kind {
	case model.String:
		if len(s.Enum) > 0 {
			out["enum"] = "\x01"
		}
		if s.Min != nil && *s.Min > 0 {
			out["too short"] = strings.Repeat("a", int(*s.Min)-1)
		}
		if s.Max != nil && *s.Max < most {
			out["too long"] = strings.Repeat("a", int(*s.Max)+1)
		}
		if s.Pattern != "" {
			for _, bad := range []string{"\x01", "\n", " ", "§", ""} {
				if text := strings.Repeat(bad, max(1, least(s))); !s.Matches(text) {
					out["pattern"] = text
					break
				}
			}
		}
	case model.Integer, model.Long:
		if s.Min != nil {
			out["too small"] = *s.Min - 1
		}
		if s.Max != nil {
			out["too large"] = *s.Max + 1
		}
	case model.List:
		if s.Min != nil && *s.Min > 0 {
			out["too few"] = make([]any, *s.Min-1)
		}
		if s.Max != nil && *s.Max < most {
			out["too many"] = make([]any, *s.Max+1)
		}
	case model.Map:
		if s.Min != nil && *s.Min > 0 {
			out["too few"] = map[string]any{}
		}
		if s.Max != nil && *s.Max < most {
			entries := map[string]any{}
			for i := range *s.Max + 1 {
				entries[fmt.Sprint("k", i)] = nil
			}
			out["too many"] = entries
		}
	}
	return out
}
