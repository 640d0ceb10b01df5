package render

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// recorder is a writer for several goroutines.
type recorder struct {
	mu sync.Mutex
	b  bytes.Buffer
	n  int // writes
}

func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n++
	return r.b.Write(p)
}

// take returns what was written since the last call.
func (r *recorder) take() string {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.b.String()
	r.b.Reset()
	return s
}

func bar(w io.Writer, ascii bool) *Progress {
	return NewProgress(w, ProgressOptions{Terminal: true, Styles: theme.New(theme.Plain, false, ascii), Width: func() int { return 70 }})
}

// screenOf interprets the little that a bar uses, and returns the lines that
// stay.
func screenOf(s string) string {
	var done strings.Builder
	line := ""
	for len(s) > 0 {
		switch {
		case strings.HasPrefix(s, "\r\x1b[2K"):
			line, s = "", s[5:]
		case strings.HasPrefix(s, "\x1b[K"):
			s = s[3:]
		case s[0] == '\r':
			line, s = "", s[1:]
		case s[0] == '\n':
			done.WriteString(line + "\n")
			line, s = "", s[1:]
		default:
			line, s = line+s[:1], s[1:]
		}
	}
	return done.String() + line
}

func TestABarIsOneLineThatGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w recorder
		p := bar(&w, true)
		p.Set(Status{Label: "run on 40 nodes", Done: 12, Total: 40, Note: "2 failed"})
		if got := w.take(); got != "" {
			t.Errorf("at once: got %q, want nothing", got)
		}
		time.Sleep(3 * time.Second) // virtual
		same(t, screenOf(w.take()), "- run on 40 nodes #####............ 12/40 30% - 2 failed - 3 s")
		p.Close()
		p.Close()
		if got := screenOf(w.take()); got != "" {
			t.Errorf("left behind %q", got)
		}
		p.Set(Status{Label: "later"})
		p.Event("later", nil)
		time.Sleep(time.Second)
		if got := w.take(); got != "" {
			t.Errorf("after the end: %q", got)
		}
	})
}

func TestABarIsDrawnAtMostTenTimesASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w recorder
		p := bar(&w, false)
		defer p.Close()
		for i := range 1000 {
			p.Set(Status{Label: "x", Done: int64(i), Total: 1000})
			time.Sleep(time.Millisecond)
		}
		synctest.Wait()
		if w.n < 9 || w.n > 10 {
			t.Errorf("drawn %d times in a second, want 10", w.n)
		}
	})
}

func TestABarFitsTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for width := range 100 {
			var w recorder
			p := NewProgress(&w, ProgressOptions{Terminal: true, Width: func() int { return width }})
			p.Set(Status{Label: "数据库 \x1b[2J", Done: 5 << 30, Total: 6 << 30, Bytes: true, Note: "1 failed"})
			time.Sleep(150 * time.Millisecond)
			got := screenOf(w.take())
			if Width(got) > max(0, width-3) || strings.Contains(got, "\x1b") {
				t.Errorf("width %d: %q", width, got)
			}
			p.Close()
		}
	})
}

func TestOtherOutputIsAboveTheBar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w recorder
		p := bar(&w, true)
		out := p.Over(&w)
		step := func(want string) {
			t.Helper()
			time.Sleep(500 * time.Millisecond)
			synctest.Wait()
			w.mu.Lock()
			got := screenOf(w.b.String())
			w.mu.Unlock()
			got = strings.NewReplacer("/ ", "| ", "- ", "| ", "\\ ", "| ").Replace(got)
			if i := strings.LastIndex(got, "| x"); i >= 0 {
				got = got[:i] + "<bar>"
			}
			if got != want {
				t.Errorf("screen is %q, want %q", got, want)
			}
		}
		io.WriteString(out, "before\n")
		step("before\n")
		p.Set(Status{Label: "x", Done: 1})
		step("before\n<bar>")
		io.WriteString(out, "row\n")
		step("before\nrow\n<bar>")
		p.Println("warning")
		step("before\nrow\nwarning\n<bar>")
		io.WriteString(out, "half")
		step("before\nrow\nwarning\nhalf")
		io.WriteString(out, " line\n")
		step("before\nrow\nwarning\nhalf line\n<bar>")
		io.WriteString(out, "open")
		p.Println("warning")
		step("before\nrow\nwarning\nhalf line\nopen\nwarning\n<bar>")
		p.Event("no line of its own", nil)
		p.Close()
		io.WriteString(out, "after\n")
		p.Println("end")
		step("before\nrow\nwarning\nhalf line\nopen\nwarning\nafter\nend\n")
	})
}

func TestPlainProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w recorder
		clock := func() time.Time { return now.Add(time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))) }
		colored := theme.New(theme.Dark, true, false)
		p := NewProgress(&w, ProgressOptions{Now: clock, Styles: colored})
		defer p.Close()
		p.Event("i-0a1 failed\x1b[2J", map[string]int{"x": 1})
		p.Println("warning")
		same(t, w.take(), "2026-03-04T12:00:00Z i-0a1 failed\\x1b[2J\nwarning\n")
		time.Sleep(11 * time.Second)
		if got := w.take(); got != "" {
			t.Errorf("without a status: got %q, want nothing", got)
		}
		p.Set(Status{Label: "copy", Done: 2048, Total: 4096, Bytes: true, Note: colored.Bad.Render("1 lost")})
		p.Set(Status{Label: "copy", Done: 4096, Bytes: true, Note: colored.Bad.Render("1 lost")})
		time.Sleep(20 * time.Second)
		same(t, w.take(), "2026-03-04T12:00:20Z copy 4.0 KiB, 1 lost, 20 s\n2026-03-04T12:00:30Z copy 4.0 KiB, 1 lost, 30 s\n")
	})
}

func TestJSONProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w recorder
		p := NewProgress(&w, ProgressOptions{Mode: ProgressJSON, Now: func() time.Time { return now }, Terminal: true})
		p.Event("x", struct {
			Type string `json:"type"`
			Node string `json:"node"`
		}{"node", "i-<1>\u009b"})
		p.Event("text", nil)
		same(t, w.take(), `{"type":"node","node":"i-<1>\u009b"}`+"\n"+`{"type":"event","time":"2026-03-04T12:00:00Z","message":"text"}`+"\n")
		p.Set(Status{Label: "run", Total: 3})
		time.Sleep(1500 * time.Millisecond)
		same(t, w.take(), `{"type":"progress","time":"2026-03-04T12:00:00Z","label":"run","done":0,"total":3}`+"\n")
		time.Sleep(5 * time.Second)
		if got := w.take(); got != "" {
			t.Errorf("without a change: got %q", got)
		}
		p.Set(Status{Label: "run", Done: 3, Total: 3})
		p.Close()
		same(t, w.take(), `{"type":"progress","time":"2026-03-04T12:00:00Z","label":"run","done":3,"total":3}`+"\n")
	})
}

func TestWhichProgressIsShown(t *testing.T) {
	tests := []struct {
		o    ProgressOptions
		want ProgressMode
	}{
		{ProgressOptions{}, ProgressPlain},
		{ProgressOptions{Terminal: true}, ProgressBar},
		{ProgressOptions{Mode: ProgressAuto, Terminal: true}, ProgressBar},
		{ProgressOptions{Mode: ProgressBar}, ProgressPlain},
		{ProgressOptions{Mode: ProgressPlain, Terminal: true}, ProgressPlain},
		{ProgressOptions{Mode: ProgressJSON, Terminal: true, Quiet: true}, ProgressNone},
		{ProgressOptions{Mode: ProgressNone, Terminal: true}, ProgressNone},
		{ProgressOptions{Quiet: true}, ProgressNone},
	}
	for _, tt := range tests {
		if got := tt.o.effective(); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.o, got, tt.want)
		}
	}
	for _, s := range []string{"auto", "bar", "plain", "json", "none"} {
		if m, err := ParseProgressMode(s); string(m) != s || err != nil {
			t.Errorf("%q: got %q, %v", s, m, err)
		}
	}
	if m, err := ParseProgressMode(""); m != ProgressAuto || err != nil {
		t.Errorf("got %q, %v", m, err)
	}
	if _, err := ParseProgressMode("dots"); fault.KindOf(err) != fault.Usage {
		t.Errorf("got %v, want a usage error", err)
	}
}

func TestQuietProgressShowsOnlyOtherOutput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w recorder
		p := NewProgress(&w, ProgressOptions{Quiet: true, Terminal: true})
		p.Set(Status{Label: "x", Done: 1})
		p.Event("x", nil)
		time.Sleep(time.Minute)
		p.Println("warning")
		io.WriteString(p.Over(&w), "row")
		p.Close()
		same(t, w.take(), "warning\nrow")
	})
}
