package environ

import (
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestVariablesAreMerged(t *testing.T) {
	old := []string{"PATH=/bin", "HOME=/root", "DB_URL=old", "=C:=C:\\", "LC_ALL=C", "broken"}
	for name, c := range map[string]struct {
		o    Options
		add  []Variable
		want string
		errs []string
	}{
		"added and replaced": {add: []Variable{{"DB_URL", "new", "/a/db-url"}, {"X", "a=b\n c ", "/a/x"}}, want: "PATH=/bin|HOME=/root|DB_URL=new|=C:=C:\\|LC_ALL=C|X=a=b\n c "},
		"not replaced":       {o: Options{NoOverride: true}, add: []Variable{{"DB_URL", "new", "/a/db-url"}, {"X", "1", "/a/x"}}, want: "PATH=/bin|HOME=/root|DB_URL=old|=C:=C:\\|LC_ALL=C|X=1"},
		"strict":             {o: Options{Strict: true}, add: []Variable{{"DB_URL", "new", "/a/db-url"}, {"HOME", "1", "/a/home"}}, errs: []string{"/a/db-url would replace the variable DB_URL", "/a/home would replace the variable HOME"}},
		"pristine":           {o: Options{Pristine: true, Keep: []string{"PATH", "LC_*"}}, add: []Variable{{"X", "1", "/a/x"}}, want: "PATH=/bin|LC_ALL=C|X=1"},
		"duplicates":         {add: []Variable{{"X", "1", "/a/x"}, {"X", "2", "/b/x"}, {"Y", "1", "/a/y"}, {"Y", "2", "/b/y"}}, errs: []string{"/a/x and /b/x both are the variable X", "/a/y and /b/y both are the variable Y"}},
		"the same twice":     {o: Options{Pristine: true}, add: []Variable{{"X", "1", "/a/x"}, {"X", "1", "/a/x"}}, want: "X=1"},
		"the later one wins": {o: Options{Pristine: true, LaterWins: true}, add: []Variable{{"X", "1", "/a/x"}, {"X", "2", "/b/x"}}, want: "X=2"},
		"case as on Windows": {o: Options{FoldCase: true, Pristine: true, Keep: []string{"path"}}, add: []Variable{{"Path", "1", "/a/path"}}, want: "Path=1"},
		"case duplicates":    {o: Options{FoldCase: true}, add: []Variable{{"Db", "1", "/a/Db"}, {"DB", "2", "/a/DB"}}, errs: []string{"/a/Db and /a/DB both are the variable DB"}},
		"two cases":          {o: Options{Pristine: true}, add: []Variable{{"Db", "1", "/a/Db"}, {"DB", "2", "/a/DB"}}, want: "Db=1|DB=2"},
		"NUL and bad names":  {add: []Variable{{"X", "a\x00secret", "/a/x"}, {"9A", "1", "/a/9a"}, {"A=B", "", "/a/b"}}, errs: []string{"/a/x: the value has a NUL", `/a/9a: "9A" is no name`, `"A=B"`}},
	} {
		r, err := Merge(old, c.add, c.o)
		if c.errs == nil && (err != nil || strings.Join(r.Environ, "|") != c.want) {
			t.Errorf("%s:\n got %q, %v\nwant %q", name, strings.Join(r.Environ, "|"), err, c.want)
		}
		for _, want := range c.errs {
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: got %v, want %s", name, err, want)
			}
		}
	}
}

func TestWhatWasReplacedIsSaid(t *testing.T) {
	old := []string{"A=1", "B=1", "C=1"}
	add := []Variable{{"A", "2", "/a"}, {"B", "1", "/b"}, {"D", "1", "/d"}}
	if r, err := Merge(old, add, Options{}); err != nil || !slices.Equal(r.Replaced, []string{"A"}) || len(r.Added) != 3 { // B is the same
		t.Errorf("got %+v, %v", r, err)
	}
	if r, err := Merge(old, add, Options{NoOverride: true}); err != nil || !slices.Equal(r.Ignored, []string{"A", "B"}) || len(r.Added) != 1 {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestLimits(t *testing.T) {
	merge := func(values ...string) Result {
		var add []Variable
		for i, v := range values {
			add = append(add, Variable{string(rune('A' + i)), v, "/" + string(rune('a'+i))})
		}
		r, err := Merge([]string{"OLD=" + strings.Repeat("o", 50)}, add, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if err := merge("12345").Check([]string{"x"}, Limits{String: 8, Total: 1000}); err != nil { // A=12345 and NUL
		t.Error(err)
	}
	if err := merge("123456").Check(nil, Limits{String: 8}); err == nil || !strings.Contains(err.Error(), "/a: the variable A has 9 bytes, and the system takes 8") {
		t.Errorf("got %v", err)
	}
	if err := merge("\U0001f600").Check(nil, Limits{String: 5, Units: true}); err != nil { // two units
		t.Error(err)
	}
	err := merge("1", strings.Repeat("x", 99)).Check([]string{"cmd"}, Limits{Total: 190})
	if err == nil || !strings.Contains(err.Error(), "B (99), A (1)") || strings.Contains(err.Error(), "xxx") {
		t.Errorf("got %v", err)
	}
}

// What Check lets through, the system takes.
func TestTheLimitsOfThisSystem(t *testing.T) {
	program, err := exec.LookPath("true")
	if err != nil || runtime.GOOS == "windows" {
		t.Skip("no program to start")
	}
	l := System()
	for _, size := range []int{1000, 100_000, 131_069, 131_070, 131_071, 200_000} {
		r, err := Merge(nil, []Variable{{"A", strings.Repeat("x", size), "/a"}}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		cmd := &exec.Cmd{Path: program, Args: []string{program}, Env: r.Environ}
		started := cmd.Run()
		if checked := r.Check(cmd.Args, l); checked == nil && started != nil || checked != nil && started == nil && l.String > 0 {
			t.Errorf("%d bytes: %v, and the system says %v", size, checked, started)
		}
	}
	if l.Total == 0 {
		return
	}
	value := strings.Repeat("x", 100_000)
	var add []Variable
	for i := range l.Total/100_000 + 2 {
		add = append(add, Variable{"V" + strings.Repeat("_", i), value, "/v"})
		r, err := Merge(nil, add, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if r.Check([]string{program}, l) == nil {
			if err := (&exec.Cmd{Path: program, Args: []string{program}, Env: r.Environ}).Run(); err != nil {
				t.Fatalf("%d variables: %v", i, err)
			}
		} else if i < l.Total/100_000-1 {
			t.Fatalf("%d variables are refused", i)
		}
	}
}
