package window

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// crowd is a window whose targets and tasks are told apart by what they are, and by
// no name of their own, under ids in the order of a shuffle.
func crowd(r *rand.Rand) Known {
	order := r.Perm(10)
	id := func(n int) string { return fmt.Sprintf("%08d-0000-4000-8000-000000000000", order[n]) }
	selector := func(values ...string) []Selector { return []Selector{{Key: "tag:env", Values: values}} }
	task := func(n, priority int, target string, commands ...string) Task {
		return Task{
			ID: id(n), Type: RunCommand, Run: "AWS-RunShellScript", Priority: priority, Concurrency: "1", MaxErrors: "1", Cutoff: ContinueTask,
			Selectors: []Selector{{Key: ByWindowTarget, Values: []string{target}}}, Parameters: map[string][]string{"commands": commands},
		}
	}
	return Known{Whole: Whole{
		Window: Window{ID: windowA, Name: "weekly", Enabled: true, Schedule: "rate(7 days)", Duration: 3, Cutoff: 1, AllowUnassociated: new(bool)},
		Targets: []Target{
			{ID: id(0), ResourceType: Nodes, Selectors: selector("a,b")},
			{ID: id(1), ResourceType: Nodes, Selectors: selector("a", "b")},
			{ID: id(2), Name: "web", ResourceType: Nodes, Selectors: selector("x")},
			{ID: id(3), Name: "web", ResourceType: Nodes, Selectors: selector("y")},
		},
		Tasks: []Task{
			task(4, 1, id(3), "one", "two"), task(5, 7, id(0), "one\ntwo"), task(6, 2, id(2), ""),
			{ID: id(7), Type: Lambda, Run: "f", Priority: 3, Payload: []byte(`{"a":1}`), Cutoff: ContinueTask},
			{ID: id(8), Type: Lambda, Run: "f", Priority: 1, Payload: []byte(`{"b":1}`), Cutoff: ContinueTask},
		},
	}}
}

// What is exported is as it is described, whatever ids the service makes up: here,
// and in an account that has the same under other ids.
func TestAnExportDescribesWhatIsThere(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		d, lost := Describe(crowd(r))
		if len(lost) > 0 {
			t.Fatalf("lost %q", lost)
		}
		file, _, err := Export([]Desired{d}, true)
		if err != nil {
			t.Fatal(err)
		}
		p := windowPlan{want: parse(t, string(file))[0], have: crowd(r)}
		if err := p.compare(true); err != nil {
			t.Fatal(err)
		}
		if a := p.actions(); len(a) != 0 {
			t.Fatalf("there is to do\n%s\nby\n%s", spell(Plan{Actions: a}), file)
		}
	}
}

// One of several of a name that changes is the one that is updated, and what nobody
// wants gets a key that nothing else has.
func TestOneOfAName(t *testing.T) {
	have := crowd(rand.New(rand.NewPCG(1, 2)))
	d, _ := Describe(have)
	d.Tasks = slices.DeleteFunc(d.Tasks, func(t DesiredTask) bool { return string(t.Payload) == `{"b":1}` })
	for i := range d.Tasks {
		if d.Tasks[i].Priority == 2 {
			d.Tasks[i].Parameters = map[string][]string{"commands": {"three"}}
		}
	}
	p := windowPlan{want: d, have: have}
	if err := p.compare(true); err != nil {
		t.Fatal(err)
	}
	want := "update task run-command AWS-RunShellScript#2 [parameters.commands [\"\"]>three]\ndelete task lambda f#2"
	if got := spell(Plan{Actions: p.actions()}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if a := p.actions()[0]; a.ID != have.Tasks[2].ID || !strings.Contains(a.Name, "#2") {
		t.Errorf("%s is updated, want %s", a.ID, have.Tasks[2].ID)
	}
}

// Two secrets never share a variable, also where names differ only in what a
// variable cannot have.
func TestEachSecretHasAVariable(t *testing.T) {
	task := func(name string) DesiredTask {
		return DesiredTask{Key: name, Task: Task{Name: name, Type: Lambda, Run: "f", Payload: []byte(`{}`)}}
	}
	_, names, err := Export([]Desired{{Window: Window{Name: "w.1"}, Tasks: []DesiredTask{task("a.b"), task("a_b")}}, {Window: Window{Name: "w_1"}, Tasks: []DesiredTask{task("a-b")}}}, false)
	if want := "[W_1_A_B_PAYLOAD W_1_A_B_PAYLOAD_2 W_1_A_B_PAYLOAD_3]"; err != nil || fmt.Sprint(names) != want {
		t.Errorf("variables %v, %v, want %s", names, err, want)
	}
}
