package render

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestTimes(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	at := time.Date(2026, 3, 4, 13, 0, 0, 5e8, berlin)
	if got, want := Timestamp(at), "2026-03-04T12:00:00Z"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := Local(at.UTC(), berlin), "2026-03-04 13:00:00 CET"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Timestamp(time.Time{}) + Local(time.Time{}, nil) + Ago(now, time.Time{}); got != "" {
		t.Errorf("the zero time is %q, want nothing", got)
	}
}

func TestAgo(t *testing.T) {
	tests := []struct {
		d    time.Duration // since then
		want string
	}{
		{0, "just now"},
		{4 * time.Second, "just now"},
		{59 * time.Second, "59 s ago"},
		{60 * time.Second, "1 min ago"},
		{3*time.Minute + 50*time.Second, "3 min ago"},
		{2 * time.Hour, "2 h ago"},
		{47 * time.Hour, "47 h ago"},
		{48 * time.Hour, "2 d ago"},
		{59 * 24 * time.Hour, "59 d ago"},
		{90 * 24 * time.Hour, "3 months ago"},
		{3 * 365 * 24 * time.Hour, "3 years ago"},
		{-5 * 24 * time.Hour, "in 5 d"},
		{-time.Second, "in 1 s"},
		{-90 * time.Minute, "in 1 h"},
	}
	for _, tt := range tests {
		if got := Ago(now, now.Add(-tt.d)); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.d, got, tt.want)
		}
	}
}

func TestDuration(t *testing.T) {
	tests := []struct {
		d    time.Duration
		want string
	}{
		{0, "0 ms"},
		{250 * time.Microsecond, "250 µs"},
		{450 * time.Millisecond, "450 ms"},
		{1290 * time.Millisecond, "1.2 s"},
		{42 * time.Second, "42 s"},
		{3*time.Minute + 5*time.Second, "3 min 5 s"},
		{3 * time.Minute, "3 min"},
		{2*time.Hour + 10*time.Minute + 59*time.Second, "2 h 10 min"},
		{76 * time.Hour, "3 d 4 h"},
		{-42 * time.Second, "-42 s"},
		{math.MinInt64, "-106751 d 23 h"},
	}
	for _, tt := range tests {
		if got := Duration(tt.d); got != tt.want {
			t.Errorf("%v: got %q, want %q", int64(tt.d), got, tt.want)
		}
	}
}

func TestBytes(t *testing.T) {
	tests := []struct {
		n    int64
		want string
	}{
		{0, "0 B"},
		{1023, "1023 B"},
		{1024, "1.0 KiB"},
		{1536, "1.5 KiB"},
		{100 * 1024, "100 KiB"},
		{1<<20 - 1, "1.0 MiB"},
		{1 << 20, "1.0 MiB"},
		{230 << 20, "230 MiB"},
		{math.MaxInt64, "8.0 EiB"},
		{-1536, "-1.5 KiB"},
		{math.MinInt64, "-8.0 EiB"},
	}
	for _, tt := range tests {
		if got := Bytes(tt.n); got != tt.want {
			t.Errorf("%d: got %q, want %q", tt.n, got, tt.want)
		}
	}
}

func TestFold(t *testing.T) {
	tests := []struct {
		name  string
		names string
		want  string
	}{
		{"nothing", "", ""},
		{"one", "web-1", "web-1"},
		{"a run and a gap", "web-1 web-2 web-3 web-7", "web-[1-3,7]"},
		{"two neighbours", "web1 web2", "web[1,2]"},
		{"any order, once each", "web10 web9 web9 web8", "web[8-10]"},
		{"leading zeros stay", "web01 web02 web09 web10 web40", "web[01,02,09,10,40]"},
		{"a full padded run", "w08 w09 w10 w11", "w[08-11]"},
		{"padded and not", "w1 w2 w01 w02", "w[01,02],w[1,2]"},
		{"the last number counts", "a1-b1 a1-b2 a2-b1", "a1-b[1,2],a2-b1"},
		{"something after", "web1.eu web2.eu web3.eu db", "db,web[1-3].eu"},
		{"bare numbers", "1 2 3", "[1-3]"},
		{"instance ids stay whole", "i-0123456789abcdef0 i-0123456789abcdef1 mi-00000001 mi-00000002", "i-0123456789abcdef0,i-0123456789abcdef1,mi-00000001,mi-00000002"},
		{"brackets stay whole", "a[1] a[2]", "a[1],a[2]"},
		{"numbers too large to count", "n99999999999999999999 n99999999999999999998", "n99999999999999999998,n99999999999999999999"},
		{"no numbers", "b a", "a,b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			names := strings.Fields(tt.names)
			before := slices.Clone(names)
			if got := Fold(names); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if !slices.Equal(names, before) {
				t.Error("the names were changed")
			}
		})
	}
}

// unfold is the inverse of Fold, for names without brackets or commas.
func unfold(t *testing.T, s string) []string {
	t.Helper()
	var names []string
	for s != "" {
		end, depth := 0, 0
		for ; end < len(s) && (s[end] != ',' || depth > 0); end++ {
			switch s[end] {
			case '[':
				depth++
			case ']':
				depth--
			}
		}
		part := s[:end]
		s = strings.TrimPrefix(s[end:], ",")
		before, rest, ok := strings.Cut(part, "[")
		if !ok {
			names = append(names, part)
			continue
		}
		numbers, after, _ := strings.Cut(rest, "]")
		for _, r := range strings.Split(numbers, ",") {
			lo, hi, isRange := strings.Cut(r, "-")
			if !isRange {
				hi = lo
			}
			a, err1 := strconv.ParseUint(lo, 10, 64)
			b, err2 := strconv.ParseUint(hi, 10, 64)
			if err1 != nil || err2 != nil || b-a > 1000 {
				t.Fatalf("bad range %q", r)
			}
			for n := a; n <= b; n++ {
				text := strconv.FormatUint(n, 10)
				if lo[0] == '0' && len(lo) > 1 {
					text = strings.Repeat("0", max(0, len(lo)-len(text))) + text
				}
				names = append(names, before+text+after)
			}
		}
	}
	return names
}

func FuzzFold(f *testing.F) {
	f.Add("web01 web02 web10 db web1")
	f.Add("a1b2 a1b3 i-0123456789abcdef0 007 08 9 10")
	f.Add("w099 w100 w0 w00 w9 w10 w99")
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsAny(s, "[],") {
			return
		}
		names := strings.Fields(s)
		want := slices.Clone(names)
		slices.Sort(want)
		want = slices.Compact(want)
		got := unfold(t, Fold(names))
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%q: folded to %q, unfolded to %q", want, Fold(names), got)
		}
	})
}

func TestNaturalCompare(t *testing.T) {
	order := []string{"", "01", "1", "2", "10", "a", "a1", "a1b", "a02", "a2", "a10", "b", "web-2", "web-10", "数"}
	for i, a := range order {
		for j, b := range order {
			got := NaturalCompare(a, b)
			if got > 0 != (i > j) || got == 0 != (i == j) {
				t.Errorf("%q, %q: got %d", a, b, got)
			}
		}
	}
}

func TestBar(t *testing.T) {
	utf8 := plainStyles().Glyphs.Bar
	ascii := []string{".", "#"}
	tests := []struct {
		fraction float64
		width    int
		glyphs   []string
		want     string
	}{
		{0, 4, utf8, "    "},
		{0.5, 4, utf8, "██  "},
		{0.54, 4, utf8, "██▏ "},
		{0.9999, 4, utf8, "███▉"},
		{1, 4, utf8, "████"},
		{7, 4, utf8, "████"},
		{-1, 2, utf8, "  "},
		{math.NaN(), 2, utf8, "  "},
		{math.Inf(1), 2, utf8, "██"},
		{0.99, 10, ascii, "#########."},
		{1, 3, ascii, "###"},
		{1, 0, ascii, ""},
		{1, 3, nil, ""},
	}
	for _, tt := range tests {
		if got := Bar(tt.fraction, tt.width, tt.glyphs); got != tt.want {
			t.Errorf("%v of %d: got %q, want %q", tt.fraction, tt.width, got, tt.want)
		}
	}
}

func TestSince(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for at, want := range map[time.Time]string{now.Add(time.Minute): "just now", now.Add(2 * time.Hour): "in 2 h", now: "just now", now.Add(-time.Hour): "1 h ago", {}: ""} {
		if got := Since(now, at); got != want {
			t.Errorf("%s: %q, not %q", at, got, want)
		}
	}
}
