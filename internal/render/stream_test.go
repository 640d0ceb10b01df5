package render

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

func TestRowsAreWrittenAsTheyArrive(t *testing.T) {
	for _, f := range []Format{FormatText, FormatJSON, FormatJSONL, FormatYAML, FormatCSV, FormatName} {
		t.Run(string(f), func(t *testing.T) {
			var b bytes.Buffer
			err := nodes(plainStyles()).Write(&b, Options{Format: f}, func(yield func(node, error) bool) {
				for i := range 5 {
					id := fmt.Sprintf("i-%08d", i)
					if !yield(node{ID: id}, nil) {
						t.Error("the list was stopped")
					}
					if !strings.Contains(b.String(), id) {
						t.Errorf("%s was not written before the next row was asked for", id)
					}
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestATableWaitsForTheSampleOnly(t *testing.T) {
	var b bytes.Buffer
	err := nodes(plainStyles()).Write(&b, Options{Width: 100, Styles: plainStyles()}, func(yield func(node, error) bool) {
		for i := range 3 * sampleRows {
			id := fmt.Sprintf("i-%08d", i)
			yield(node{ID: id}, nil)
			if got, want := strings.Contains(b.String(), id), i >= sampleRows-1; got != want {
				t.Fatalf("row %d: written %v, want %v", i, got, want)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Count(b.String(), "\n"), 3*sampleRows+1; got != want {
		t.Errorf("got %d lines, want %d", got, want)
	}
}

func TestTheLimitStopsAsking(t *testing.T) {
	asked := 0
	err := nodes(plainStyles()).Write(io.Discard, Options{Limit: 3}, func(yield func(node, error) bool) {
		for asked = 1; yield(node{}, nil); asked++ {
		}
	})
	if err != nil || asked != 3 {
		t.Errorf("asked for %d rows, %v, want 3", asked, err)
	}
}

func TestAReaderThatHasGoneEndsTheList(t *testing.T) {
	for _, f := range append(Formats(), "") {
		for _, width := range []int{0, 80} {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			r.Close()
			asked := 0
			err = nodes(plainStyles()).Write(w, Options{Format: Format(f), Width: width}, func(yield func(node, error) bool) {
				for asked = 1; asked < 1000 && yield(node{ID: "i"}, nil); asked++ {
				}
			})
			w.Close()
			if !IsBrokenPipe(err) {
				t.Errorf("%s: got %v, want a broken pipe", f, err)
			}
			if asked > sampleRows {
				t.Errorf("%s: %d rows were asked for", f, asked)
			}
		}
	}
}

func TestIsBrokenPipe(t *testing.T) {
	_, w := io.Pipe()
	w.Close()
	_, err := w.Write([]byte("x"))
	if !IsBrokenPipe(fmt.Errorf("write: %w", err)) {
		t.Errorf("%v is not taken for one", err)
	}
	for _, err := range []error{nil, errors.New("x"), io.EOF, os.ErrClosed} {
		if IsBrokenPipe(err) {
			t.Errorf("%v is taken for one", err)
		}
	}
}

func TestQueries(t *testing.T) {
	tests := []struct {
		name   string
		query  string
		format Format
		width  int
		want   string
	}{
		{"scalars in text", "[].id", FormatText, 0, "i-0123456789abcdef0\ni-0fedcba9876543210\nmi-0aaaaaaaaaaaaaaaa\n"},
		{"one scalar in text", "[0].name", "", 0, "web-10\n"},
		{"one scalar in json", "[0].name", FormatJSON, 0, "\"web-10\"\n"},
		{"null in text", "[0].nope", "", 0, ""},
		{"null in json", "[0].nope", FormatJSON, 0, "null\n"},
		{"numbers keep their digits", "[].size", "", 0, "5\n9007199254740993\n12\n"},
		{"numbers compare", "[?size > `11`].name", "", 0, "web-2\n数据库-<1>\n"},
		{"a whole row keeps its order", "[?ping=='lost']", FormatJSONL, 0, `{"id":"i-0fedcba9876543210","name":"web-2","ping":"lost","last_ping":"2026-03-03T10:00:00Z","size":9007199254740993,"account":"012345678901"}` + "\n"},
		{"fields in the order they were asked for", "[].{Size: size, Name: name, \"a b\": ping}[:2]", FormatJSONL, 0, "{\"Size\":5,\"Name\":\"web-10\",\"a b\":\"online\"}\n{\"Size\":9007199254740993,\"Name\":\"web-2\",\"a b\":\"lost\"}\n"},
		{"objects in text", "[].{n: name, s: ping}", "", 0, "web-10\tonline\nweb-2\tlost\n数据库-<1>\tonline\n"},
		{"objects in a table", "[].{n: name, size: size}", "", 80, "N                       SIZE\nweb-10                     5\nweb-2       9007199254740993\n数据库-<1>                12\n"},
		{"objects in csv", "[].{Name: name, s: ping}", FormatCSV, 0, "Name,s\nweb-10,online\nweb-2,lost\n数据库-<1>,online\n"},
		{"lists in text", "[].[name, size]", "", 0, "web-10\t5\nweb-2\t9007199254740993\n数据库-<1>\t12\n"},
		{"lists in a table", "[].[name, ping]", "", 80, "web-10      online\nweb-2       lost\n数据库-<1>  online\n"},
		{"lists in csv", "[].[name, ping]", FormatCSV, 0, "web-10,online\nweb-2,lost\n数据库-<1>,online\n"},
		{"an object in text", "[0].{name: name, Tags: tags}", "", 0, "name\tweb-10\nTags\t{\"env\":\"prod\"}\n"},
		{"an object on a terminal", "[0].{name: name, tags: tags}", "", 80, "name  web-10\ntags  {\"env\":\"prod\"}\n"},
		{"yaml", "[0].{account: account, size: size, t: tags}", FormatYAML, 0, "account: '012345678901'\nsize: 5\nt:\n  env: prod\n"},
		{"names", "[?ping=='online'].id", FormatName, 0, "i-0123456789abcdef0\nmi-0aaaaaaaaaaaaaaaa\n"},
		{"a count", "length(@)", "", 0, "3\n"},
		{"a boolean", "[0].ping == 'online'", "", 0, "true\n"},
		{"an empty result", "[?name=='x']", "", 0, ""},
		{"a mixed list", "[[0].name, [0].tags, `null`]", "", 0, "web-10\n{\"env\":\"prod\"}\n\n"},
		{"sort_by", "sort_by(@, &name)[].name", "", 0, "web-10\nweb-2\n数据库-<1>\n"},
		{"jsonl of one", "[0].name", FormatJSONL, 0, "\"web-10\"\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rows := fleet()
			same(t, write(t, Options{Query: tt.query, Format: tt.format, Width: tt.width}, rows), tt.want)
			if rows[0].Name != "web-10" || rows[1].Name != "web-2" {
				t.Error("the query changed the rows")
			}
		})
	}
}

func TestQueryWithLimit(t *testing.T) {
	same(t, write(t, Options{Query: "[].name", SortBy: "-name", Limit: 2}, fleet()), "数据库-<1>\nweb-10\n")
}

func TestOneTextKeepsItsLines(t *testing.T) {
	var b bytes.Buffer
	err := JSON(&b, Options{Query: "v"}, []byte(`{"v":"-----BEGIN\n\tx\u001b[2J\n-----END"}`))
	if err != nil {
		t.Fatal(err)
	}
	same(t, b.String(), "-----BEGIN\n\tx\\x1b[2J\n-----END\n")
}

func TestJSONOfUnknownShape(t *testing.T) {
	const data = `{"NextToken":null,"Count":12345678901234567890,"Parameters":[{"Name":"/a","Value":"<x>"},{"Name":"/b"}],"B":true}`
	tests := []struct {
		o    Options
		want string
	}{
		{Options{Format: FormatJSONL}, data + "\n"},
		{Options{Format: FormatJSON, Query: "Parameters[0]"}, "{\n  \"Name\": \"/a\",\n  \"Value\": \"<x>\"\n}\n"},
		{Options{}, "NextToken\t\nCount\t12345678901234567890\nParameters\t[{\"Name\":\"/a\",\"Value\":\"<x>\"},{\"Name\":\"/b\"}]\nB\ttrue\n"},
		{Options{Width: 80, Query: "Parameters"}, "NAME  VALUE\n/a    <x>\n/b\n"},
		{Options{Format: FormatYAML}, "NextToken: null\nCount: 12345678901234567890\nParameters:\n- Name: /a\n  Value: <x>\n- Name: /b\nB: true\n"},
	}
	for _, tt := range tests {
		var b bytes.Buffer
		if err := JSON(&b, tt.o, []byte(data)); err != nil {
			t.Fatal(err)
		}
		same(t, b.String(), tt.want)
	}
	for _, bad := range []string{"", "{", "1 2", "{\"a\":}", "[1,]"} {
		if err := JSON(io.Discard, Options{}, []byte(bad)); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestObject(t *testing.T) {
	n := fleet()[0]
	view := func(d *Detail) {
		d.ID(n.ID)
		d.Field("Node ID", n.ID)
		d.Field("Owner", "")
		d.Human("Last ping", Timestamp(n.Seen), Ago(now, n.Seen))
		d.Section("Agent")
		d.Field("Version", "3.3\x1b[2J")
		d.Block("Script", "echo a\n\techo b\x07\n")
	}
	tests := []struct {
		name string
		o    Options
		want string
	}{
		{"a terminal", Options{Width: 80}, "Node ID    i-0123456789abcdef0\nLast ping  3 min ago\n\nAgent\nVersion    3.3\\x1b[2J\nScript\n  echo a\n  \techo b\\x07\n"},
		{"a pipe", Options{}, "node-id\ti-0123456789abcdef0\nowner\t\nlast-ping\t2026-03-04T11:57:00Z\nagent.version\t3.3\\x1b[2J\nagent.script\techo a\\n\\techo b\\x07\\n\n"},
		{"csv", Options{Format: FormatCSV}, "node-id,owner,last-ping,agent.version,agent.script\ni-0123456789abcdef0,,2026-03-04T11:57:00Z,3.3\\x1b[2J,\"echo a\n\techo b\\x07\n\"\n"},
		{"name", Options{Format: FormatName}, "i-0123456789abcdef0\n"},
		{"jsonl", Options{Format: FormatJSONL}, `{"id":"i-0123456789abcdef0","name":"web-10","ping":"online","last_ping":"2026-03-04T11:57:00Z","size":5,"account":"012345678901","tags":{"env":"prod"}}` + "\n"},
		{"a query", Options{Query: "tags.env", Width: 80}, "prod\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := Object(&b, tt.o, n, view); err != nil {
				t.Fatal(err)
			}
			same(t, b.String(), tt.want)
		})
	}
	if err := Object(io.Discard, Options{Format: FormatName}, n, func(*Detail) {}); err == nil {
		t.Error("-o name of something without a name was accepted")
	}
	if err := Object(io.Discard, Options{Format: "xml"}, n, view); err == nil {
		t.Error("an unknown format was accepted")
	}
}
