package terms

import (
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

var now = time.Date(2026, 11, 27, 14, 2, 31, 0, time.UTC)

// row is something to ask about: texts by key, and a moment.
type row struct {
	texts map[string]string
	at    time.Time
}

var grammar = Grammar{
	Keys:  []Key{{Name: "name"}, {Name: "state"}, {Name: "version", Kind: Version}, {Name: "size", Kind: Number}, {Name: "made", Kind: Moment}},
	Words: true, Form: "write terms like state=ok",
	Open: func(name string) (Key, bool, error) { return Key{Name: name}, strings.HasPrefix(name, "tag:"), nil },
}

func (r row) fits(e Expr) bool {
	return e.Match(func(t *Term) bool {
		switch {
		case t.IsWord():
			return t.In(r.texts["name"]) || t.In(r.texts["state"]) || t.Letters(r.texts["name"])
		case t.Kind() == Moment:
			return t.HoldsTime(r.at, now)
		}
		return t.Holds(r.texts[t.Key])
	})
}

func TestMatch(t *testing.T) {
	r := row{map[string]string{
		"name": "web-prod-01", "state": "Lost", "version": "3.2.1630.0", "size": "1,204", "tag:team": "pay ments", "tag:x": "Zürich",
	}, now.Add(-2 * time.Hour)}
	for text, want := range map[string]bool{
		"":                             true,
		"web":                          true,
		"WEB PROD":                     true,
		"web db":                       false,
		"web | db":                     true,
		"db|web":                       true,
		"db | cache":                   false,
		"db state=lost | web":          true,
		"web state=ok | web state=new": false, // | binds weaker than a space
		"!db":                          true,
		"!web":                         false,
		"!state=lost":                  false,
		"!state=ok !size<3":            true,
		"wprd":                         true, // letters in their order
		"wp1":                          true,
		"wdp":                          false,
		"name~^web|^db":                true, // a | within a value is the value's
		"name~^WEB":                    true,
		"name~01$":                     true,
		"name~^web-prod-01$":           true,
		"name~^prod":                   false,
		"name~p.o":                     true,
		"state=ok,lost":                true,
		"state!=ok,lost":               false,
		"version<3.3":                  true,
		"version>=3.2.1630":            true,
		"version=3.2.1630":             true,
		"version=3.2":                  false,
		"version>3.2.999":              true,
		"size>1000":                    true,
		"size=1204":                    true,
		"size<=1203.5":                 false,
		"size~^1,":                     true,
		"made<3h":                      true,
		"made>2d":                      false,
		`"tag:team=pay ments"`:         true,
		`tag:team='pay ments' !db`:     true,
		`tag:x=ZÜRICH`:                 true,
	} {
		e, err := grammar.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := r.fits(e); got != want {
			t.Errorf("%s matches: %v", text, got)
		}
		if e.Empty() != (text == "") {
			t.Errorf("%s is empty: %v", text, e.Empty())
		}
	}
}

func TestUnknownIsNeitherMoreNorLess(t *testing.T) {
	for _, text := range []string{"version<3", "version>=0", "size<1", "size>=0", "made<1d", "made>1s", "size=0", "version=0"} {
		e, err := grammar.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if (row{}).fits(e) {
			t.Errorf("%s fits what is not known", text)
		}
	}
	e, _ := grammar.Parse("size!=3 version!=1 state!=x")
	if !(row{}).fits(e) {
		t.Error("what is not known is not different")
	}
	for text, want := range map[string]bool{"size=3": true, "size!=3": false, "size>2.5": true, "size<3": false} {
		e, _ := grammar.Parse(text)
		if got := e.Match(func(t *Term) bool { return t.HoldsNumber(3, true) }); got != want {
			t.Errorf("%s of 3: %v", text, got)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string][2]string{
		"a | ":            {"one side of the | at column 3", "state=ok"},
		"| a":             {"one side of the | at column 1", "state=ok"},
		"a || b":          {"one side of the | at column 4", "state=ok"},
		"web stat=ok":     {`no filter key "stat" at column 5`, "did you mean state"},
		"qqqq=ok":         {`no filter key "qqqq"`, "use one of: name, state, version, size, made"},
		"web  state=":     {`"state=" at column 6 is incomplete`, "state=ok"},
		"!":               {"no operator", "state=ok"},
		"!!":              {"no operator", ""},
		"''":              {"no operator", "state=ok"},
		"'!web'":          {"no operator", ""}, // quoted: no sign
		"ping!x":          {"no operator", "ping!=VALUE"},
		"東 name='x":       {"it stands at column 8", "state=ok"},
		"name~(":          {"no regular expression", ""},
		"size>many":       {"not a number", "size>0"},
		"size>.":          {"not a number", "size>0"},
		"made=3":          {"is a time", "made>30d"},
		"x made>long":     {`"long" in the filter at column 3 is not an age`, "30d"},
		"state<3":         {"not a version", "~"},
		"version<newest":  {"not a version", "version<3.3.40"},
		"state=a,,b":      {"empty value", ""},
		"state=ok | =web": {`"=web" at column 12 is incomplete`, ""},
	} {
		_, err := grammar.Parse(text)
		if fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), want[0]) || !strings.Contains(fault.HintOf(err), want[1]) {
			t.Errorf("%q: %v (hint %q), want %q", text, err, fault.HintOf(err), want)
		}
	}
	strict := grammar
	strict.Words = false
	if _, err := strict.Parse("state=ok web"); err == nil || !strings.Contains(err.Error(), `"web" at column 10 has no operator`) {
		t.Errorf("a bare word where none may be: %v", err)
	}
}

func TestLetters(t *testing.T) {
	for _, tt := range []struct {
		word, name string
		want       bool
	}{
		{"wprd", "web-prod", true},
		{"web", "worker-subnet", false},
		{"kbnts", "kubernetes", true},
		{"w", "web", false}, // too little to tell
		{"wp", "web-east-prod", true},
		{"eb", "web", false}, // does not begin a part
		{"w12", "web12", true},
		{"東本", "東京-日本", false},
		{"東日", "東京-日本", true},
		{"WEBZ", "web-z", true},
		{"az", strings.Repeat("a-", 40) + "z", false}, // beyond what is looked at
	} {
		e, err := grammar.Parse(tt.word)
		if err != nil {
			t.Fatal(err)
		}
		for term := range e.All() {
			if got := term.Letters(tt.name); got != tt.want {
				t.Errorf("%s in %s: %v", tt.word, tt.name, got)
			}
		}
	}
}

func TestNarrows(t *testing.T) {
	for _, tt := range []struct {
		before, after string
		want          bool
	}{
		{"", "web", true},
		{"web", "web-1", true},
		{"web", "web state=ok", true},
		{"state=ok we", "state=ok web !x", true},
		{"web", "we", false},
		{"web", "db", false},
		{"!w", "!we", false},
		{"web", "web | db", false},
		{"web | db", "web | dbx", false},
		{"state=o", "state=ok", false},
		{"state=o", "state=o,k", false},
		{"version<3.3", "version<3.34", false},
		{"version<3.3", "version<=3.3", false},
		{"name~a", "name~a web", true},
		{"tag:a=x", "tag:b=x", false},
		{"web", "!web", false},
	} {
		a, err := grammar.Parse(tt.before)
		if err != nil {
			t.Fatal(err)
		}
		b, err := grammar.Parse(tt.after)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.Narrows(a); got != tt.want {
			t.Errorf("%q after %q: %v", tt.after, tt.before, got)
		}
	}
}

// FuzzNarrows holds that what narrows never shows a row that was not there.
func FuzzNarrows(f *testing.F) {
	for _, s := range [][3]string{{"we", "web", "web-1"}, {"wp", "wpd", "web-prod"}, {"a | b", "a", "b"}, {"!a", "!a b", "b"}} {
		f.Add(s[0], s[1], s[2])
	}
	f.Fuzz(func(t *testing.T, before, after, name string) {
		a, errA := grammar.Parse(before)
		b, errB := grammar.Parse(after)
		if errA != nil || errB != nil {
			return
		}
		r := row{texts: map[string]string{"name": name, "state": name, "version": name, "size": name}, at: now}
		if b.Narrows(a) && r.fits(b) && !r.fits(a) {
			t.Fatalf("%q fits %q and not %q", name, after, before)
		}
	})
}

func TestCompareVersions(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"3.2", "3.10", -1},
		{"3.2.0.0", "3.2", 0},
		{"", "0", -1},
		{"x", "", 0},
		{"1.x", "1", 0},
		{"99999999999999999999", "1", -1},
		{"18446744073709551615", "18446744073709551614", 1},
		{"3.", "3", 0},
	} {
		if got := CompareVersions(tt.a, tt.b); got != tt.want || CompareVersions(tt.b, tt.a) != -tt.want {
			t.Errorf("%q and %q: %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestLeadingNumber(t *testing.T) {
	for text, want := range map[string]float64{"1,204": 1204, "96 %": 96, "-3.25 s": -3.25, "0.5": 0.5, "12-5": 12} {
		if got, ok := LeadingNumber(text); !ok || got < want-1e-9 || got > want+1e-9 {
			t.Errorf("%q: %v %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "-", "x1", ".5", "unknown"} {
		if got, ok := LeadingNumber(text); ok {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func TestMatchingAllocatesNothing(t *testing.T) {
	r := row{map[string]string{"name": "Web-Prod-ß1", "state": "Lost", "version": "3.2.1630.0", "size": "1,204"}, now}
	e, err := grammar.Parse("wprd !db version<3.3 version!=4.0 size>3 name~^web state=ok,lost name~w.b made<3h")
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() {
		if !r.fits(e) {
			t.Fatal("does not fit")
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestIsHoldsForItsValueAlone(t *testing.T) {
	values := []string{
		"web-1", "ann,lee-0a1b", "ann", "lee-0a1b", "a b", "a\u00a0b", `it's "x"`, "a|b", "!x", "=x", "~x", "a=b", "a.b,c", "a-b,c", "東京", "x$", "/pay/key",
	}
	for _, is := range values {
		e, err := grammar.Parse(Is("tag:x", is))
		if err != nil {
			t.Errorf("%q: %v", is, err)
			continue
		}
		for _, v := range values {
			if got := (row{texts: map[string]string{"tag:x": v}}).fits(e); got != (v == is) {
				t.Errorf("%s for %q: got %t", Is("tag:x", is), v, got)
			}
		}
	}
}
