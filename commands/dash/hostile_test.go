package dash_test

import (
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/dash"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// hostile is what a name can be made of to change what a terminal shows.
const hostile = "A\x1b]0;pwned\x07B\u202eC\rD\u009b2JE\x7f\nF"

// odd are texts that are hard to draw: wider or narrower in parts than as a whole, marks
// without letters, and more of it than any screen has.
var odd = []string{
	strings.Repeat("1\ufe0f\u20e3", 60),
	strings.Repeat("\u0301\u0e33👩\u200d💻🏽\u0600\u093f🇩", 20),
	strings.Repeat("x\t\u00a0東", 400),
}

// fill makes every text in a value hostile, however deep.
func fill(v reflect.Value, hostile string, depth int) {
	if depth == 0 {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(hostile)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Now().Add(-time.Minute)))
			return
		}
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i), hostile, depth-1)
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), hostile, depth-1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), hostile, depth-1)
	case reflect.Map:
		m, key, value := reflect.MakeMap(v.Type()), reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, hostile, depth-1)
		fill(value, hostile, depth-1)
		m.SetMapIndex(key, value)
		v.Set(m)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(3)
	default:
	}
}

// Every text of every row is hostile: nothing of it reaches the terminal as it is, nor
// the plain text.
func TestNoPageShowsForeignTextAsItIs(t *testing.T) {
	if seen := showForeign(t, allLoaded(t), hostile, "pwned"); seen < 30 {
		t.Errorf("only %d frames showed hostile text", seen)
	}
}

// Nor does any page break over a text, or take long: of the time that it had, for the
// machine may have much else to do.
func TestPagesDrawWhateverTextThereIs(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for _, text := range odd {
		f := allLoaded(t)
		began := cpuTime()
		showForeign(t, f, text, "")
		if took := cpuTime() - began; took > 30*time.Second {
			t.Errorf("%.20q took %v", text, took)
		}
	}
}

// showForeign shows every page with a text in every field, and counts the frames that
// have a part of it.
func showForeign(t *testing.T, f *flow, hostile, part string) (seen int) {
	t.Helper()
	f.opts.Deck.Styles = theme.New(theme.Dark, false, false)
	set := reflect.ValueOf(dash.Feeds()).Elem()
	var names []string
	filled := 0
	for i := range set.NumField() {
		m := set.Field(i).MethodByName("Set")
		if !m.IsValid() {
			continue
		}
		row := reflect.New(m.Type().In(1).Elem()).Elem()
		fill(row, hostile, 6)
		rows := reflect.Append(reflect.MakeSlice(m.Type().In(1), 0, 1), row)
		m.Call([]reflect.Value{reflect.ValueOf(grid.Place{Account: "123456789012", Region: "us-east-1"}), rows, reflect.ValueOf(time.Now())})
		names = append(names, set.Field(i).Interface().(feed.Feed).Name())
		filled++
	}
	if filled < 8 {
		t.Fatalf("only %d feeds were filled", filled)
	}
	check := func(who, text string) {
		if at := strings.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r == 0x202e }); at >= 0 {
			t.Errorf("%s: %q", who, text[max(at-40, 0):min(at+30, len(text))])
		}
	}
	for _, p := range f.pages {
		for _, n := range names {
			p.Update(feed.Changed{Feed: n})
		}
		for _, k := range []string{"", "j", "enter", "tab", "j", "esc", "tab", "tab", "enter"} {
			if k != "" {
				p.Update(tuitest.Key(k))
			}
			for _, a := range p.Actions() {
				if a.Key == k && a.Off == "" && k == "enter" {
					asks(p, a.Do())
				}
			}
			for _, size := range [][2]int{{40, 6}, {80, 19}, {200, 50}} {
				p.SetSize(size[0], size[1])
				view := p.View()
				check(p.ID()+" after "+k, view)
				if strings.Contains(view, part) {
					seen++
				}
			}
		}
	}
	return seen
}
