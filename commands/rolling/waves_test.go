package rolling

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/waves"
)

func TestOnlyOneGoesOnWithAState(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	release, err := LockState(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LockState(file); fault.KindOf(err) != fault.Refused {
		t.Errorf("a second one: %v", err)
	}
	release()
	if _, err := os.Stat(file + ".lock"); !os.IsNotExist(err) {
		t.Errorf("the lock is left: %v", err)
	}
	release, err = LockState(file)
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	release()
	if _, err := LockState(filepath.Join(t.TempDir(), "none", "state.json")); err == nil {
		t.Error("a lock in no folder")
	}
}

func TestWaveNodesAreInTheOrderOfTheWaves(t *testing.T) {
	s := waves.New([][]string{{"b"}, {"a", "c"}}, time.Now())
	s.Nodes["a"] = waves.Result{Status: waves.Failed, Wave: 2, Detail: "no"}
	var got []string
	for id, r := range Nodes(s) {
		got = append(got, id+" "+string(r.Status)+" "+Word(r.Wave))
	}
	if len(got) != 3 || got[0] != "b waiting 1" || got[1] != "a failed 2" || got[2] != "c waiting 2" || Word(0) != "" {
		t.Errorf("got %q", got)
	}
}

func TestStateIsKeptForItsOwner(t *testing.T) {
	o := Options{State: filepath.Join(t.TempDir(), "state.json")}
	if err := o.Keep(map[string]int{"a": 1}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(o.State)
	if err != nil || info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := (&Options{}).Keep(1); err != nil {
		t.Errorf("nowhere: %v", err)
	}
}

func TestAHintIsPastedAsItIs(t *testing.T) {
	for in, want := range map[string]string{"a/b-1.json": "a/b-1.json", "db-*": "'db-*'", "$(x)`y`\"": "'$(x)`y`\"'", "it's": `'it'\''s'`} {
		if got := ShellWord(in); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}
