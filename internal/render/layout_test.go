package render

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/theme"
)

func TestATableFitsTheWindow(t *testing.T) {
	rows := append(fleet(), node{ID: "i-00000000000000000", Name: strings.Repeat("a very long name ", 20), Ping: "online", Seen: now}, node{})
	for _, color := range []bool{false, true} {
		for width := 1; width <= 200; width++ {
			o := Options{Width: width, Styles: theme.New(theme.Dark, color, false)}
			lines := strings.Split(strings.TrimSuffix(write(t, o, rows), "\n"), "\n")
			if len(lines) != len(rows)+1 {
				t.Fatalf("width %d: got %d lines, want %d", width, len(lines), len(rows)+1)
			}
			for _, l := range lines {
				if Width(l) > width {
					t.Errorf("width %d: %q is %d cells wide", width, l, Width(l))
				}
				if strings.HasSuffix(l, " ") {
					t.Errorf("width %d: %q ends in spaces", width, l)
				}
			}
		}
	}
}

func TestTextGivesWayBeforeIDs(t *testing.T) {
	rows := []node{{ID: "i-0123456789abcdef0", Name: "a name that is rather long", Ping: "online", Seen: now}}
	tests := []struct {
		width int
		want  string
	}{
		{80, "NODE ID              NAME                        PING      LAST PING\ni-0123456789abcdef0  a name that is rather long  ● online  just now\n"},
		{60, "NODE ID              NAME                PING      LAST PING\ni-0123456789abcdef0  a name that is ra…  ● online  just now\n"},
		{48, "NODE ID        NAME          PING      LAST PING\ni-0123…bcdef0  a name that…  ● online  just now\n"},
	}
	for _, tt := range tests {
		same(t, write(t, Options{Width: tt.width}, rows), tt.want)
	}
}

func TestLaterRowsUseTheRoomThatIsLeft(t *testing.T) {
	var rows []node
	for i := range sampleRows + 1 {
		rows = append(rows, node{ID: fmt.Sprintf("i-%08d", i), Name: "web", Ping: "online", Seen: now})
	}
	last := &rows[sampleRows]
	last.Name = "web-extra" // six cells more than the sample
	lines := strings.Split(write(t, Options{Width: 80}, rows), "\n")
	if got := lines[sampleRows+1]; !strings.Contains(got, "web-extra") {
		t.Errorf("with room to spare the name was cut: %q", got)
	}
	last.Name = strings.Repeat("x", 60)
	lines = strings.Split(write(t, Options{Width: 80}, rows), "\n")
	if got := lines[sampleRows+1]; Width(got) > 80 || !strings.Contains(got, "…") || !strings.HasSuffix(got, "just now") {
		t.Errorf("without room it was not: %q", got)
	}
}

func TestASCIIMarksCuts(t *testing.T) {
	got := write(t, Options{Width: 30, Styles: theme.New(theme.Plain, false, true)}, fleet()[:1])
	for i := range len(got) {
		if got[i] >= 0x80 {
			t.Fatalf("not ASCII: %q", got)
		}
	}
	if !strings.Contains(got, "~") {
		t.Errorf("nothing says that something was cut: %q", got)
	}
}

func TestColumnsLineUp(t *testing.T) {
	table := Table[[2]string]{Columns: []Column[[2]string]{
		{Name: "A", Text: func(r [2]string) string { return r[0] }},
		{Name: "N", Right: true, Text: func(r [2]string) string { return r[1] }},
		{Name: "B", Text: func([2]string) string { return "|" }},
	}}
	var b strings.Builder
	rows := [][2]string{{"ascii", "1"}, {"数据库", "1000"}, {"👩‍💻", ""}, {"é", "22"}, {"", "3"}}
	if err := table.Write(&b, Options{Width: 80}, seq(rows)); err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(b.String()) {
		before, _, ok := strings.Cut(l, "|")
		if want := 14; ok && Width(before) != want {
			t.Errorf("%q: the last column starts at %d, want %d", l, Width(before), want)
		}
	}
	if n := strings.Count(b.String(), "|"); n != len(rows) {
		t.Errorf("%d rows, want %d", n, len(rows))
	}
}
