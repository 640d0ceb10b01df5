package widget

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/ssmdeck/ssmdeck/internal/theme"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// In weeks in which clocks are changed days are as long as they are: a cell is half an
// hour in these, every day begins where it says so, and spans are where they belong.
func TestTimelineWhereClocksAreChanged(t *testing.T) {
	const day = 48 // half hours
	for _, tt := range []struct {
		name, zone, from string
		cells            int   // of the week
		days             []int // where they begin
		start            string
		long             time.Duration
		first, last      int // cells of that span
	}{
		{"Berlin, spring", "Europe/Berlin", "2026-03-27", 7*day - 2, []int{0, 48, 96, 142, 190, 238, 286}, "2026-03-29T03:00", 2 * time.Hour, 100, 103},
		{"Berlin, autumn", "Europe/Berlin", "2026-10-23", 7*day + 2, []int{0, 48, 96, 146, 194, 242, 290}, "2026-10-25T03:00", 2 * time.Hour, 104, 107},
		{"New York, spring", "America/New_York", "2026-03-07", 7*day - 2, []int{0, 48, 94, 142, 190, 238, 286}, "2026-03-08T01:30", 2 * time.Hour, 51, 54},
		{"New York, autumn", "America/New_York", "2026-10-31", 7*day + 2, []int{0, 48, 98, 146, 194, 242, 290}, "2026-11-02T00:00", time.Hour, 98, 99},
		{"half an hour, spring", "Australia/Lord_Howe", "2026-10-03", 7*day - 1, []int{0, 48, 95, 143, 191, 239, 287}, "2026-10-04T02:30", time.Hour, 52, 53},
		{"half an hour, autumn", "Australia/Lord_Howe", "2026-04-04", 7*day + 1, []int{0, 48, 97, 145, 193, 241, 289}, "2026-04-05T02:30", time.Hour, 54, 55},
		{"across midnight and the change", "Europe/Berlin", "2026-03-27", 7*day - 2, []int{0, 48, 96, 142, 190, 238, 286}, "2026-03-28T22:00", 8 * time.Hour, 92, 107},
		{"no midnight", "America/Santiago", "2026-09-04", 7*day - 2, []int{0, 48, 96, 142, 190, 238, 286}, "2026-09-06T01:00", time.Hour, 96, 97},
		{"no midnight at the left end", "America/Havana", "2026-03-08", 7*day - 2, []int{0, 46, 94, 142, 190, 238, 286}, "2026-03-08T01:00", time.Hour, 0, 1},
		{"two midnights", "America/Havana", "2026-10-31", 7*day + 2, []int{0, 48, 98, 146, 194, 242, 290}, "2026-11-01T01:00", time.Hour, 52, 53},
		{"midnight comes at one", "Africa/Cairo", "2026-04-23", 7*day - 2, []int{0, 48, 94, 142, 190, 238, 286}, "2026-04-24T01:00", time.Hour, 48, 49},
	} {
		t.Run(tt.name, func(t *testing.T) {
			z := zone(t, tt.zone)
			in := func(layout, text string) time.Time {
				at, err := time.ParseInLocation(layout, text, z)
				if err != nil {
					t.Fatal(err)
				}
				return at
			}
			line := Timeline{From: Midnight(in(time.DateOnly+"T15", tt.from+"T12"), 0)}
			if n := int(line.end().Sub(line.From) / (30 * time.Minute)); n != tt.cells {
				t.Fatalf("the week has %d half hours, want %d", n, tt.cells)
			}
			names := ansi.Strip(line.days(tt.cells))
			at := line.From
			for i, want := range tt.days {
				if got := line.cell(at, tt.cells); got != want {
					t.Errorf("day %d begins in cell %d, want %d", i+1, got, want)
				}
				label := in(time.DateOnly+"T15", tt.from+"T12").AddDate(0, 0, i).Format("Mon 2 Jan")
				if got := strings.Index(names, label); got != want {
					t.Errorf("%s stands in cell %d, want %d", label, got, want)
				}
				at = Midnight(at, 1)
			}
			start := in("2006-01-02T15:04", tt.start)
			var cells []int
			st := theme.New(theme.Dark, false, true)
			for i, c := range strings.Split(line.line(st, Track{Spans: []Span{{start, start.Add(tt.long), theme.Good}}}, tt.cells), "") {
				if c != " " && c != st.Glyphs.Sep && c != st.Glyphs.Pipe {
					cells = append(cells, i)
				}
			}
			want := make([]int, 0, tt.last-tt.first+1)
			for i := tt.first; i <= tt.last; i++ {
				want = append(want, i)
			}
			if !slices.Equal(cells, want) {
				t.Errorf("the span is in cells %v, want %v", cells, want)
			}
		})
	}
}
