package paramplan

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/quick"
	"testing/synctest"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

// world is a store with a state beside it.
type world struct {
	t     *testing.T
	store *fakeStore
	path  string
}

func newWorld(t *testing.T) *world {
	return &world{t, newStore(), filepath.Join(t.TempDir(), "state.json")}
}

func (w *world) state() *State {
	w.t.Helper()
	s, _, err := OpenState(w.path, "111122223333", "eu-west-1")
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func parse(t *testing.T, text string) []Desired {
	t.Helper()
	tree, err := Parse([]Input{{File: "x.yaml", Data: []byte(text)}}, func(string) (string, bool) { return "", false }, true)
	if err != nil {
		t.Fatal(err)
	}
	return tree.Desired
}

func (w *world) plan(desired []Desired, o Options) *Plan {
	w.t.Helper()
	var others []string
	if o.State != nil {
		for name := range o.State.Parameters {
			others = append(others, name)
		}
	}
	live, err := Look(context.Background(), w.store, desired, others, o.Below)
	if err != nil {
		w.t.Fatal(err)
	}
	p := Make(desired, live, o)
	if err := p.Complete(context.Background(), w.store); err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) apply(desired []Desired, o Options) (*Plan, error) {
	w.t.Helper()
	p := w.plan(desired, o)
	ap := Applier{Store: w.store, State: o.State, unanswered: func(err error) bool { return errors.Is(err, errLost) }}
	return p, ap.Apply(context.Background(), p)
}

func words(p *Plan) (out []string) {
	for _, a := range p.Actions {
		out = append(out, a.Do+" "+a.Name)
	}
	return out
}

func (w *world) expect(p *Plan, want ...string) {
	w.t.Helper()
	if got := words(p); !slices.Equal(got, want) {
		w.t.Errorf("plan %q, want %q", got, want)
	}
}

const twoFile = `
path: /app
parameters:
  a: one
  b: {secure: true, value: two}
`

func TestPlanThenApplyThenPlanIsNothing(t *testing.T) {
	w := newWorld(t)
	desired := parse(t, twoFile)
	p, err := w.apply(desired, Options{State: w.state()})
	if err != nil {
		t.Fatal(err)
	}
	w.expect(p, "create /app/a", "create /app/b")
	p = w.plan(desired, Options{State: w.state()})
	if w.expect(p); p.Same != 2 {
		t.Errorf("%d are the same", p.Same)
	}
	raw, err := os.ReadFile(w.path)
	if err != nil || strings.Contains(string(raw), "one") || strings.Contains(string(raw), "two") {
		t.Errorf("the state is %s, %v", raw, err)
	}
}

// A change by somebody else is never written over unseen; one in the file alone is made.
func TestDriftIsRefused(t *testing.T) {
	w := newWorld(t)
	if _, err := w.apply(parse(t, twoFile), Options{State: w.state()}); err != nil {
		t.Fatal(err)
	}
	changed := parse(t, strings.ReplaceAll(twoFile, "one", "ONE"))
	w.expect(w.plan(changed, Options{State: w.state()}), "update /app/a")
	w.store.set("/app/a", parameter.String, "theirs")
	p := w.plan(changed, Options{State: w.state()})
	w.expect(p, "conflict /app/a")
	if !strings.Contains(p.Actions[0].Why, "version 1 was applied, and 2 is there") {
		t.Error(p.Actions[0].Why)
	}
	w.expect(w.plan(changed, Options{State: w.state(), AcceptDrift: true}), "update /app/a")
	w.store.set("/app/a", parameter.String, "ONE") // they came to the same end
	w.expect(w.plan(changed, Options{State: w.state()}), "adopt /app/a")
	if _, err := w.apply(changed, Options{State: w.state()}); err != nil {
		t.Fatal(err)
	}
	w.expect(w.plan(changed, Options{State: w.state()}))
	_, _, _ = w.store.Delete(context.Background(), []string{"/app/a"})
	w.expect(w.plan(changed, Options{State: w.state()}), "conflict /app/a")
	w.expect(w.plan(changed, Options{State: w.state(), AcceptDrift: true}), "create /app/a")
}

func TestWhatIsInNoFileStaysWithoutPrune(t *testing.T) {
	w := newWorld(t)
	w.store.set("/app/c", parameter.String, "never applied")
	if _, err := w.apply(parse(t, twoFile), Options{State: w.state()}); err != nil {
		t.Fatal(err)
	}
	one := parse(t, "path: /app\nparameters: {a: one}\n")
	w.expect(w.plan(one, Options{State: w.state()}), "keep /app/b")
	w.expect(w.plan(one, Options{State: w.state(), Prune: true}), "delete /app/b")
	w.store.set("/app/b", parameter.SecureString, "theirs")
	w.expect(w.plan(one, Options{State: w.state(), Prune: true}), "conflict /app/b")
	if _, err := w.apply(one, Options{State: w.state(), Prune: true, AcceptDrift: true}); err != nil {
		t.Fatal(err)
	}
	w.expect(w.plan(one, Options{State: w.state(), Prune: true}))
	if _, there := w.store.have["/app/c"]; !there {
		t.Error("a parameter was deleted that was never applied")
	}
	w.expect(w.plan(one, Options{Prune: true, Below: "/app"}), "delete /app/c") // as import does
}

func TestWhatWasNeverAppliedIsAdoptedOnlyWhenItIsTheSame(t *testing.T) {
	w := newWorld(t)
	w.store.set("/app/a", parameter.String, "one")
	w.store.set("/app/b", parameter.SecureString, "other")
	p := w.plan(parse(t, twoFile), Options{State: w.state()})
	w.expect(p, "adopt /app/a", "conflict /app/b")
	w.expect(w.plan(parse(t, twoFile), Options{}), "update /app/b")
	w.expect(w.plan(parse(t, twoFile), Options{MissingOnly: true}))
}

func TestATypeIsChangedOnlyByReplacing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.store.set("/app/b", parameter.String, "two")
		desired := parse(t, twoFile)
		w.expect(w.plan(desired, Options{}), "create /app/a", "conflict /app/b")
		p, err := w.apply(desired, Options{Replace: true})
		if err != nil {
			t.Fatal(err)
		}
		w.expect(p, "create /app/a", "replace /app/b")
		if got := w.store.have["/app/b"]; got.Type != parameter.SecureString || got.Value != "two" || got.Version != 1 {
			t.Errorf("there is %+v", got)
		}
		w.expect(w.plan(desired, Options{}))
	})
}

// What a file does not manage is sent again as it is, because the service drops what it
// is not sent; and what stays as it is is decrypted only when it must be sent.
func TestWhatIsNotManagedStays(t *testing.T) {
	w := newWorld(t)
	before := parameter.Change{
		Name: "/app/b", Type: parameter.SecureString, Value: "secret", Tier: parameter.Advanced, KeyID: "alias/app", Description: "what it is for",
		AllowedPattern: "^[a-z]+$", Policies: `[{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"After":"9","Unit":"Days"}}]`,
	}
	if _, err := w.store.put(before); err != nil {
		t.Fatal(err)
	}
	live := "path: /app\nparameters: {b: {secure: true, value_from: {live: true}}}\n"
	w.expect(w.plan(parse(t, live), Options{}))
	if len(w.store.reads) > 0 {
		t.Errorf("%v were decrypted for nothing", w.store.reads)
	}
	if _, err := w.apply(parse(t, strings.Replace(live, "secure:", "description: new, secure:", 1)), Options{}); err != nil {
		t.Fatal(err)
	}
	got := w.store.have["/app/b"]
	if got.Version != 2 || got.Value != "secret" || got.Description != "new" || got.AllowedPattern != before.AllowedPattern || got.KeyID != before.KeyID ||
		got.Tier != parameter.Advanced || !samePolicies(policiesJSON(got.Policies), before.Policies) {
		t.Errorf("there is %+v", got)
	}
	if _, err := w.apply(parse(t, strings.Replace(live, "secure:", "policies: [], secure:", 1)), Options{}); err != nil {
		t.Fatal(err)
	}
	if got := w.store.have["/app/b"]; len(got.Policies) != 0 || got.Version != 3 || got.Description != "new" {
		t.Errorf("there is %+v", got)
	}
	w.expect(w.plan(parse(t, strings.Replace(live, "/app", "/none", 1)), Options{}), "conflict /none/b")
}

// What the service must be told so that it keeps it is told: also the tier, which the
// account's default would be instead, and that nothing is meant where it is.
func TestAChangeSaysAllThatIsToStay(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		if _, err := w.store.put(parameter.Change{
			Name: "/app/a", Type: parameter.String, Value: "x", Tier: parameter.Advanced, Description: "d", AllowedPattern: "x", DataType: "kind", Overwrite: true,
		}); err != nil {
			t.Fatal(err)
		}
	}
	p := w.plan(parse(t, "path: /app\nparameters: {a: {value: x, description: \"\"}}\n"), Options{})
	w.expect(p, "update /app/a")
	c := p.Actions[0].change
	if c.Replaces != 3 || c.Tier != parameter.Advanced || !c.ClearDescription || c.ClearPattern || c.AllowedPattern != "x" || c.DataType != "kind" || c.Value != "x" {
		t.Errorf("sent would be %+v", c)
	}
	if p.BecomeAdvanced() != 0 {
		t.Error("it is advanced already")
	}
}

// What is made again has what the file does not manage: its tags and its tier, too.
func TestWhatIsReplacedKeepsWhatIsNotManaged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		if _, err := w.store.put(parameter.Change{
			Name: "/app/b", Type: parameter.String, Value: "two", Tier: parameter.Advanced, Description: "d",
			Tags: map[string]string{"team": "shop", "env": "old", "aws:cloudformation:stack-name": "s"},
		}); err != nil {
			t.Fatal(err)
		}
		desired := parse(t, "path: /app\nparameters: {b: {secure: true, value: two, tags: {env: new}}}\n")
		p, err := w.apply(desired, Options{Replace: true})
		if err != nil {
			t.Fatal(err)
		}
		w.expect(p, "replace /app/b")
		got, tags := w.store.have["/app/b"], w.store.tags["/app/b"]
		if got.Type != parameter.SecureString || got.Tier != parameter.Advanced || got.Description != "d" || got.Version != 1 {
			t.Errorf("there is %+v", got)
		}
		if want := map[string]string{"team": "shop", "env": "new"}; !maps.Equal(tags, want) {
			t.Errorf("tags %v, want %v", tags, want)
		}
		if p.BecomeAdvanced() != 0 {
			t.Error("it was advanced before")
		}
	})
}

// What no parameter could be is told without a look at what is there; what depends on
// that is left for later.
func TestFaultsAreFoundBeforeAnythingIsRead(t *testing.T) {
	large := strings.Repeat("x", 5000)
	bad := []Desired{
		{Name: "/aws/a", Value: &large},
		{Name: "/app/tier", Tier: "gold"},
		{Name: "/app/standard", Tier: parameter.Standard, Value: &large},
		{Name: "/app/key", Type: parameter.SecureString, KeyID: "no key"},
	}
	if faults := CheckDesired(bad, nil); len(faults) != 4 {
		t.Errorf("%d faults: %v", len(faults), faults)
	}
	if faults := CheckDesired(bad, func(name string) bool { return name == "/app/tier" }); len(faults) != 1 {
		t.Errorf("%d faults of those that are meant: %v", len(faults), faults)
	}
	fine := []Desired{{Name: "/app/maybe-advanced", Value: &large}, {Name: "/app/maybe-secure", KeyID: "alias/a"}, {Name: "/app/live", Type: parameter.SecureString}}
	if faults := CheckDesired(fine, nil); len(faults) > 0 {
		t.Errorf("faults %v", faults)
	}
}

func TestTagsAreManagedByTheirKeys(t *testing.T) {
	w := newWorld(t)
	tagged := parse(t, "path: /app\ndefaults: {tags: {team: shop}}\nparameters: {a: one, b: {value: two, tags: {team: web, cost: '7'}}}\n")
	if _, err := w.apply(tagged, Options{}); err != nil {
		t.Fatal(err)
	}
	w.expect(w.plan(tagged, Options{}))
	_ = w.store.Tag(context.Background(), "/app/b", map[string]string{"team": "other", "theirs": "x"})
	p, err := w.apply(tagged, Options{State: w.state()})
	if err != nil {
		t.Fatal(err)
	}
	w.expect(p, "adopt /app/a", "update /app/b")
	if got := w.store.tags["/app/b"]; got["team"] != "web" || got["theirs"] != "x" || w.store.have["/app/b"].Version != 1 {
		t.Errorf("tags are %v, version %d", got, w.store.have["/app/b"].Version)
	}
}

// What somebody writes between plan and apply is not written over.
func TestApplyLooksAgainBeforeItWrites(t *testing.T) {
	w := newWorld(t)
	w.store.set("/app/a", parameter.String, "old")
	w.store.set("/app/b", parameter.SecureString, "old")
	p := w.plan(parse(t, twoFile), Options{})
	w.store.set("/app/a", parameter.String, "theirs")
	ap := Applier{Store: w.store}
	err := ap.Apply(context.Background(), p)
	if fault.KindOf(err) != fault.Conflict || w.store.have["/app/a"].Value != "theirs" || w.store.have["/app/b"].Value != "two" {
		t.Errorf("%v; there is %q", err, w.store.have["/app/a"].Value)
	}
	// And between the look and the write: it is done, and said.
	p = w.plan(parse(t, twoFile), Options{})
	w.store.before = func(parameter.Change) error { w.store.set("/app/a", parameter.String, "theirs again"); return nil }
	if err := ap.Apply(context.Background(), p); err != nil {
		t.Fatal(err)
	}
	if note := p.Actions[0].Note; !strings.Contains(note, "version 3 was expected and 4 was made") || !p.Actions[0].Collided() {
		t.Errorf("note %q", note)
	}
}

// A write whose answer was lost is not sent twice, and one that was not made is.
func TestALostAnswerIsLookedForFirst(t *testing.T) {
	for _, made := range []bool{true, false} {
		w := newWorld(t)
		w.store.set("/app/a", parameter.String, "old")
		lost := map[string]bool{}
		once := func(c parameter.Change) error {
			w.store.mu.Lock()
			defer w.store.mu.Unlock()
			if lost[c.Name] {
				return nil
			}
			lost[c.Name] = true
			return errLost
		}
		if made {
			w.store.after = once
		} else {
			w.store.before = once
		}
		if _, err := w.apply(parse(t, twoFile), Options{}); err != nil {
			t.Fatal(err)
		}
		if w.store.puts["/app/a"] != 1 || w.store.puts["/app/b"] != 1 || w.store.have["/app/a"].Value != "one" || w.store.have["/app/b"].Value != "two" {
			t.Errorf("made %v: written %v", made, w.store.puts)
		}
	}
}

func TestAFailureDoesNotStopOthersAndNothingIsDeletedThen(t *testing.T) {
	w := newWorld(t)
	w.store.set("/app/z", parameter.String, "in no file")
	w.store.before = func(c parameter.Change) error {
		if c.Name == "/app/a" {
			return fault.New(fault.Failed, "write parameter "+c.Name, "no such key")
		}
		return nil
	}
	o := Options{Prune: true, Below: "/app"}
	p, err := w.apply(parse(t, twoFile), o)
	status := map[string]string{}
	for _, a := range p.Actions {
		status[a.Name] = a.Status
	}
	if err == nil || status["/app/a"] != FailedIt || status["/app/b"] != Done || status["/app/z"] != NotTried {
		t.Errorf("%v, %v", status, err)
	}
	w.store.before = nil
	p, err = w.apply(parse(t, twoFile), o)
	if err != nil {
		t.Fatal(err)
	}
	w.expect(p, "create /app/a", "delete /app/z")
	// Without credentials the rest is not tried, and nothing new where no more are allowed.
	many := make([]Desired, 3*manyAtOnce)
	for i := range many {
		v := "v"
		many[i] = Desired{Name: fmt.Sprintf("/many/%03d", i), Value: &v}
	}
	w.store.set("/many/299", parameter.String, "old")
	for _, c := range []struct {
		err     error
		updates bool
	}{{fault.New(fault.Auth, "", "expired"), false}, {&fault.Error{Kind: fault.Limit, Code: "ParameterLimitExceeded", Err: errors.New("full")}, true}} {
		w.store.before = func(change parameter.Change) error {
			if change.Overwrite && c.updates {
				return nil
			}
			return c.err
		}
		p, err = w.apply(many, Options{})
		tried := 0
		for _, a := range p.Actions {
			if a.Status == FailedIt {
				tried++
			}
		}
		if !errors.Is(err, c.err) || tried > manyAtOnce || (p.Actions[299].Status == Done) != c.updates {
			t.Errorf("%v after %d, the update is %s", err, tried, p.Actions[299].Status)
		}
	}
}

// A run that is killed between a write and its note is continued: what it has written
// is not written again, and nothing is taken for somebody else's work.
func TestAKilledRunIsContinued(t *testing.T) {
	w := newWorld(t)
	if _, err := w.apply(parse(t, twoFile), Options{State: w.state()}); err != nil {
		t.Fatal(err)
	}
	changed := parse(t, strings.NewReplacer("one", "ONE", "two", "TWO").Replace(twoFile))
	s := w.state()
	_ = s.Begin("/app/a", 1, "")
	w.store.set("/app/a", parameter.String, "ONE") // written, and killed
	_ = s.Begin("/app/b", 1, "")                   // killed before it was written
	f, err := os.OpenFile(w.path+".journal", os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.WriteString(`{"done":"/app/b","ver`) // a line that was cut off
	_ = f.Close()
	p, err := w.apply(changed, Options{State: w.state()})
	if err != nil {
		t.Fatal(err)
	}
	w.expect(p, "adopt /app/a", "update /app/b")
	if w.store.puts["/app/a"] != 0 { // since somebody set it
		t.Error("it was written again")
	}
	w.expect(w.plan(changed, Options{State: w.state()}))
	// What it wrote is not what the file says now: nobody knows whose it is.
	s = w.state()
	_ = s.Begin("/app/a", 2, "")
	w.store.set("/app/a", parameter.String, "between")
	p = w.plan(changed, Options{State: w.state()})
	if w.expect(p, "conflict /app/a"); !strings.Contains(p.Actions[0].Why, "a run that was cut off") {
		t.Error(p.Actions[0].Why)
	}
}

func TestAStateOfAnotherAccountIsRefused(t *testing.T) {
	w := newWorld(t)
	if err := w.state().Save(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := OpenState(w.path, "444455556666", "eu-west-1"); fault.KindOf(err) != fault.Usage {
		t.Error(err)
	}
	for text, want := range map[string]string{
		`{"kind":"other"}`: "is not the state",
		"{\n<<<<<<< HEAD\n\"version\": 3\n=======\n\"version\": 4\n>>>>>>> theirs\n}\n": "the marks of a merge",
		`{"kind":"ssmdeck-parameters","account":"111122223333","reg`:                    "is not the state",
	} {
		if err := os.WriteFile(w.path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := OpenState(w.path, "111122223333", "eu-west-1"); fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Actions are printed: there is no value in them before somebody asks to see it.
func TestActionsHaveNoValues(t *testing.T) {
	w := newWorld(t)
	w.store.set("/app/a", parameter.String, "canary-old")
	desired := parse(t, "path: /app\nparameters: {a: canary-new, b: {secure: true, value: canary-secret}}\n")
	p := w.plan(desired, Options{})
	raw, err := json.Marshal(p.Actions)
	if err != nil || strings.Contains(string(raw), "canary") {
		t.Errorf("%s, %v", raw, err)
	}
	p.Reveal()
	raw, _ = json.Marshal(p.Actions)
	for _, v := range []string{"canary-old", "canary-new", "canary-secret"} {
		if !strings.Contains(string(raw), v) {
			t.Errorf("%s is not shown: %s", v, raw)
		}
	}
}

// Any value that the service takes comes through a file, into the store and back.
func TestAnyValueIsItselfAgain(t *testing.T) {
	w := newWorld(t)
	awkward := []string{
		"a\n", "\na", "a\r\nb", " a ", "\ta", "yes", "0x1F", "null", "~", "1e3", "'", "\"", "a: b", "- a", "# a", "a #b", "{{x}}", "%TAG", "@x", "`x`", "|", ">",
		"\x00", "\x01\x7f\u0085\u2028\ufeff", "日本語\n🙂\n", "\n\n\n", "a\n\n", "\n a\n  b\n", "a\n \n", "---", "...\n", "!x", "&x", "*x", "?", "? a", "\\", "a\\n", "2001-01-01", "=", "<<", "[a", "{a", ",", "\u2029a\nb",
	}
	n := 0
	check := func(value string) bool {
		if value == "" || !utf8.ValidString(value) {
			return true
		}
		n++
		typ := []string{parameter.String, parameter.SecureString, parameter.StringList}[n%3]
		p := parameter.Parameter{Name: fmt.Sprintf("/app/v%d", n), Type: typ, Value: value, Description: value, Tier: parameter.Standard}
		data, err := Encode("/app", []parameter.Parameter{p}, true)
		if err != nil {
			t.Errorf("%q: %v", value, err)
			return false
		}
		desired := parse(t, string(data))
		if _, err := w.apply(desired, Options{State: w.state()}); err != nil {
			t.Errorf("%q: %v", value, err)
			return false
		}
		got := w.store.have[p.Name]
		if got.Value != value || got.Type != typ || got.Description != value {
			t.Errorf("%q came back as %q (%s) of\n%s", value, got.Value, got.Description, data)
			return false
		}
		again := w.plan(desired, Options{State: w.state()})
		return again.Same == 1 && again.Pending() == 0
	}
	for _, v := range awkward {
		check(v)
	}
	if err := quick.Check(check, &quick.Config{MaxCount: 150, Rand: nil}); err != nil {
		t.Error(err)
	}
	alphabet := []rune("a \n\t\r:#-'\"\\{}[]|>&*!%@`,?\u00e9\u0085\u2028")
	random := rand.New(rand.NewPCG(1, 2))
	for range 150 {
		v := make([]rune, 1+random.IntN(12))
		for i := range v {
			v[i] = alphabet[random.IntN(len(alphabet))]
		}
		check(string(v))
	}
}

// Without secrets a plan needs neither them nor the right to decrypt: it says what is
// missing and what else differs.
func TestAPlanWithoutSecrets(t *testing.T) {
	w := newWorld(t)
	w.store.set("/app/there", parameter.SecureString, "x")
	text := "path: /app\nparameters:\n  new: {value_from: {env: NONE}, secure: true}\n  there: {secure: true, value_from: {file: none}, description: d}\n  open: {secure: true, value: v}\n"
	tree, err := Parse([]Input{{File: "x.yaml", Data: []byte(text)}}, noEnv, false)
	if err != nil {
		t.Fatal(err)
	}
	p := w.plan(tree.Desired, Options{})
	w.expect(p, "create /app/new", "create /app/open", "update /app/there")
	if faults := p.Check(); len(faults) > 0 || len(w.store.reads) > 0 {
		t.Errorf("%v; read %v", faults, w.store.reads)
	}
	// A version that nobody applied is told of although the value is not known.
	same := parse(t, "path: /app\nparameters: {there: {secure: true, value: x}}\n")
	if _, err := w.apply(same, Options{State: w.state()}); err != nil {
		t.Fatal(err)
	}
	same[0].Value, same[0].Unread = nil, true
	w.expect(w.plan(same, Options{State: w.state()}))
	w.store.set("/app/there", parameter.SecureString, "theirs")
	w.expect(w.plan(same, Options{State: w.state()}), "conflict /app/there")
}
