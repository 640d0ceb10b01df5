package render

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// node is what the tests list.
type node struct {
	ID      string            `json:"id"`
	Name    string            `json:"name"`
	Ping    string            `json:"ping"`
	Seen    time.Time         `json:"last_ping"`
	Size    int64             `json:"size"`
	Account string            `json:"account"`
	Tags    map[string]string `json:"tags,omitempty"`
}

var now = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func fleet() []node {
	return []node{
		{"i-0123456789abcdef0", "web-10", "online", now.Add(-3 * time.Minute), 5, "012345678901", map[string]string{"env": "prod"}},
		{"i-0fedcba9876543210", "web-2", "lost", now.Add(-26 * time.Hour), 9007199254740993, "012345678901", nil},
		{"mi-0aaaaaaaaaaaaaaaa", "数据库-<1>", "online", now, 12, "999999999999", nil},
	}
}

// nodes describes the list; styles is for the Human cells.
func nodes(styles *theme.Styles) Table[node] {
	return Table[node]{
		Columns: []Column[node]{
			{Name: "NODE ID", ID: true, Text: func(n node) string { return n.ID }},
			{Name: "NAME", Text: func(n node) string { return n.Name }},
			{Name: "PING", Text: func(n node) string { return n.Ping }, Human: func(n node) string {
				switch n.Ping {
				case "":
					return ""
				case "online":
					return styles.Status(theme.Good, n.Ping)
				}
				return styles.Status(theme.Bad, n.Ping)
			}},
			{
				Name: "LAST PING", Text: func(n node) string { return Timestamp(n.Seen) },
				Human: func(n node) string { return Ago(now, n.Seen) },
				Less:  func(a, b node) bool { return a.Seen.Before(b.Seen) },
			},
			{Name: "ACCOUNT", Wide: true, Right: true, Text: func(n node) string { return n.Account }},
		},
		ID:    func(n node) string { return n.ID },
		Empty: "no nodes found",
	}
}

func plainStyles() *theme.Styles { return theme.New(theme.Plain, false, false) }

func seq[T any](rows []T, errs ...error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
		var none T
		for _, err := range errs {
			if !yield(none, err) {
				return
			}
		}
	}
}

func write(t *testing.T, o Options, rows []node) string {
	t.Helper()
	if o.Styles == nil {
		o.Styles = plainStyles()
	}
	var b bytes.Buffer
	if err := nodes(o.Styles).Write(&b, o, seq(rows)); err != nil {
		t.Fatalf("%+v: %v", o, err)
	}
	return b.String()
}

func same(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s\n(got %q)", got, want, got)
	}
}

func TestFormats(t *testing.T) {
	const text = "i-0123456789abcdef0\tweb-10\tonline\t2026-03-04T11:57:00Z\n" +
		"i-0fedcba9876543210\tweb-2\tlost\t2026-03-03T10:00:00Z\n" +
		"mi-0aaaaaaaaaaaaaaaa\t数据库-<1>\tonline\t2026-03-04T12:00:00Z\n"
	const wideText = "i-0123456789abcdef0\tweb-10\tonline\t2026-03-04T11:57:00Z\t012345678901\n" +
		"i-0fedcba9876543210\tweb-2\tlost\t2026-03-03T10:00:00Z\t012345678901\n" +
		"mi-0aaaaaaaaaaaaaaaa\t数据库-<1>\tonline\t2026-03-04T12:00:00Z\t999999999999\n"
	const table = `NODE ID               NAME        PING      LAST PING
i-0123456789abcdef0   web-10      ● online  3 min ago
i-0fedcba9876543210   web-2       ✗ lost    26 h ago
mi-0aaaaaaaaaaaaaaaa  数据库-<1>  ● online  just now
`
	const json = `[
  {
    "id": "i-0123456789abcdef0",
    "name": "web-10",
    "ping": "online",
    "last_ping": "2026-03-04T11:57:00Z",
    "size": 5,
    "account": "012345678901",
    "tags": {
      "env": "prod"
    }
  },
  {
    "id": "i-0fedcba9876543210",
    "name": "web-2",
    "ping": "lost",
    "last_ping": "2026-03-03T10:00:00Z",
    "size": 9007199254740993,
    "account": "012345678901"
  },
  {
    "id": "mi-0aaaaaaaaaaaaaaaa",
    "name": "数据库-<1>",
    "ping": "online",
    "last_ping": "2026-03-04T12:00:00Z",
    "size": 12,
    "account": "999999999999"
  }
]
`
	const jsonl = `{"id":"i-0123456789abcdef0","name":"web-10","ping":"online","last_ping":"2026-03-04T11:57:00Z","size":5,"account":"012345678901","tags":{"env":"prod"}}
{"id":"i-0fedcba9876543210","name":"web-2","ping":"lost","last_ping":"2026-03-03T10:00:00Z","size":9007199254740993,"account":"012345678901"}
{"id":"mi-0aaaaaaaaaaaaaaaa","name":"数据库-<1>","ping":"online","last_ping":"2026-03-04T12:00:00Z","size":12,"account":"999999999999"}
`
	const yaml = `- id: i-0123456789abcdef0
  name: web-10
  ping: online
  last_ping: '2026-03-04T11:57:00Z'
  size: 5
  account: '012345678901'
  tags:
    env: prod
- id: i-0fedcba9876543210
  name: web-2
  ping: lost
  last_ping: '2026-03-03T10:00:00Z'
  size: 9007199254740993
  account: '012345678901'
- id: mi-0aaaaaaaaaaaaaaaa
  name: 数据库-<1>
  ping: online
  last_ping: '2026-03-04T12:00:00Z'
  size: 12
  account: '999999999999'
`
	const csv = `node-id,name,ping,last-ping,account
i-0123456789abcdef0,web-10,online,2026-03-04T11:57:00Z,012345678901
i-0fedcba9876543210,web-2,lost,2026-03-03T10:00:00Z,012345678901
mi-0aaaaaaaaaaaaaaaa,数据库-<1>,online,2026-03-04T12:00:00Z,999999999999
`
	tests := []struct {
		name string
		o    Options
		want string
	}{
		{"nothing asked, a pipe", Options{}, text},
		{"nothing asked, a terminal", Options{Width: 80}, table},
		{"table in a pipe", Options{Format: FormatTable}, text},
		{"table on a terminal", Options{Format: FormatTable, Width: 80}, table},
		{"table without header", Options{Width: 80, NoHeaders: true}, table[strings.Index(table, "\n")+1:]},
		{"wide in a pipe", Options{Format: FormatWide}, wideText},
		{"wide on a terminal", Options{Format: FormatWide, Width: 40}, `NODE ID               NAME        PING      LAST PING       ACCOUNT
i-0123456789abcdef0   web-10      ● online  3 min ago  012345678901
i-0fedcba9876543210   web-2       ✗ lost    26 h ago   012345678901
mi-0aaaaaaaaaaaaaaaa  数据库-<1>  ● online  just now   999999999999
`},
		{"text in a pipe", Options{Format: FormatText}, text},
		{"text on a terminal", Options{Format: FormatText, Width: 20}, text},
		{"json", Options{Format: FormatJSON}, json},
		{"json on a terminal", Options{Format: FormatJSON, Width: 20}, json},
		{"jsonl", Options{Format: FormatJSONL}, jsonl},
		{"yaml", Options{Format: FormatYAML}, yaml},
		{"csv", Options{Format: FormatCSV}, csv},
		{"csv without header", Options{Format: FormatCSV, NoHeaders: true}, csv[strings.Index(csv, "\n")+1:]},
		{"name", Options{Format: FormatName}, "i-0123456789abcdef0\ni-0fedcba9876543210\nmi-0aaaaaaaaaaaaaaaa\n"},
		{"columns in a pipe", Options{Columns: []string{"account", "NAME"}}, "012345678901\tweb-10\n012345678901\tweb-2\n999999999999\t数据库-<1>\n"},
		{"columns in csv", Options{Format: FormatCSV, Columns: []string{"node_id"}}, "node-id\ni-0123456789abcdef0\ni-0fedcba9876543210\nmi-0aaaaaaaaaaaaaaaa\n"},
		{"sorted as people count", Options{Format: FormatName, SortBy: "name"}, "i-0fedcba9876543210\ni-0123456789abcdef0\nmi-0aaaaaaaaaaaaaaaa\n"},
		{"sorted by the column's own order, descending", Options{Format: FormatName, SortBy: "-last-ping"}, "mi-0aaaaaaaaaaaaaaaa\ni-0123456789abcdef0\ni-0fedcba9876543210\n"},
		{"the first of the sorted", Options{Format: FormatName, SortBy: "name", Limit: 1}, "i-0fedcba9876543210\n"},
		{"limited", Options{Format: FormatName, Limit: 2}, "i-0123456789abcdef0\ni-0fedcba9876543210\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { same(t, write(t, tt.o, fleet()), tt.want) })
	}
}

func TestNothingFound(t *testing.T) {
	tests := []struct {
		o    Options
		want string
	}{
		{Options{}, ""},
		{Options{Width: 80}, ""},
		{Options{Format: FormatWide, Width: 80}, ""},
		{Options{Format: FormatJSON}, "[]\n"},
		{Options{Format: FormatJSONL}, ""},
		{Options{Format: FormatYAML}, "[]\n"},
		{Options{Format: FormatCSV}, "node-id,name,ping,last-ping,account\n"},
		{Options{Format: FormatName}, ""},
		{Options{Format: FormatJSON, Query: "[].id"}, "[]\n"},
		{Options{Format: FormatJSON, SortBy: "name"}, "[]\n"},
	}
	for _, tt := range tests {
		var notes bytes.Buffer
		tt.o.Notes = &notes
		if got := write(t, tt.o, nil); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.o, got, tt.want)
		}
		if got, want := notes.String(), "no nodes found\n"; got != want {
			t.Errorf("%+v: noted %q, want %q", tt.o, got, want)
		}
	}
}

func TestErrorsAmongTheRows(t *testing.T) {
	denied, lost := fault.New(fault.Auth, "list", "denied"), errors.New("lost")
	for _, o := range []Options{{Format: FormatJSON}, {Width: 80}, {Format: FormatName, SortBy: "name"}, {Format: FormatJSON, Query: "[].id"}} {
		o.Styles = plainStyles()
		var b, notes bytes.Buffer
		o.Notes = &notes
		err := nodes(o.Styles).Write(&b, o, seq[node](nil, denied))
		if fault.KindOf(err) != fault.Auth || b.Len()+notes.Len() > 0 {
			t.Errorf("%+v: only an error: got %v and %q, want the error alone", o, err, b.String())
		}
		b.Reset()
		err = nodes(o.Styles).Write(&b, o, seq(fleet()[:1], denied, lost))
		if !errors.Is(err, denied) || !errors.Is(err, lost) {
			t.Errorf("%+v: got %v, want both errors", o, err)
		}
		good := o
		same(t, b.String(), write(t, good, fleet()[:1]))
	}
}

func TestBadOptionsAreUsage(t *testing.T) {
	tests := []struct {
		name       string
		o          Options
		text, hint string
	}{
		{"an unknown column", Options{Columns: []string{"nmae"}}, `--columns: no column "nmae": there are node-id, name, ping, last-ping, account`, "use `--columns name`"},
		{"an unknown order", Options{SortBy: "-png"}, `--sort-by: no column "png"`, "use `--sort-by ping`"},
		{"columns of json", Options{Format: FormatJSON, Columns: []string{"name"}}, "--columns chooses", "--query"},
		{"columns and query", Options{Query: "[].id", Columns: []string{"name"}}, "--columns chooses", "--query"},
		{"a query cut short", Options{Query: "[?a=='x'"}, `--query "[?a=='x'": character 9: `, "jmespath.org"},
		{"a query with a bad character", Options{Query: "[].{a: b; c: d}"}, `character 9: unknown char: ';'`, "jmespath.org"},
		{"a query of the wrong type", Options{Query: "length(`5`)"}, "--query \"length(`5`)\": ", ""},
		{"an unknown function", Options{Query: "nope(@)"}, `--query "nope(@)": `, ""},
		{"a format nobody parsed", Options{Format: "xml"}, `unknown output format "xml"`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			asked := false
			var b bytes.Buffer
			err := nodes(plainStyles()).Write(&b, tt.o, func(yield func(node, error) bool) {
				asked = true
				seq(fleet())(yield)
			})
			if fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), tt.text) || !strings.Contains(fault.HintOf(err), tt.hint) {
				t.Errorf("got %v (hint %q), want %q (hint %q)", err, fault.HintOf(err), tt.text, tt.hint)
			}
			if b.Len() > 0 {
				t.Errorf("printed %q", b.String())
			}
			if runtime := strings.Contains(tt.name, "type") || strings.Contains(tt.name, "function"); asked != runtime {
				t.Errorf("rows asked for: %v, want %v", asked, runtime)
			}
		})
	}
	noNames := Table[node]{Columns: nodes(plainStyles()).Columns}
	if err := noNames.Write(io.Discard, Options{Format: FormatName}, seq(fleet())); fault.KindOf(err) != fault.Usage {
		t.Errorf("-o name without names: got %v, want a usage error", err)
	}
}

func TestParseFormat(t *testing.T) {
	for _, name := range append(Formats(), "") {
		if f, err := ParseFormat(name); string(f) != name || err != nil {
			t.Errorf("%q: got %q, %v", name, f, err)
		}
	}
	for word, hint := range map[string]string{"jsn": "`-o json`", "yml": "`-o yaml`", "xml": "", "tabel": "`-o table`"} {
		_, err := ParseFormat(word)
		if fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), "table, wide, json, jsonl, yaml, csv, text, name") {
			t.Errorf("%q: got %v, want a usage error with the names", word, err)
		}
		if got := fault.HintOf(err); !strings.Contains(got, hint) || hint == "" && got != "" && !strings.Contains(got, "yaml") {
			t.Errorf("%q: hint %q, want %q", word, got, hint)
		}
	}
}
