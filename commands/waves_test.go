package commands

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
	release, err := lockState(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockState(file); fault.KindOf(err) != fault.Refused {
		t.Errorf("a second one: %v", err)
	}
	release()
	if _, err := os.Stat(file + ".lock"); !os.IsNotExist(err) {
		t.Errorf("the lock is left: %v", err)
	}
	release, err = lockState(file)
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	release()
	if _, err := lockState(filepath.Join(t.TempDir(), "none", "state.json")); err == nil {
		t.Error("a lock in no folder")
	}
}

func TestWaveNodesAreInTheOrderOfTheWaves(t *testing.T) {
	s := waves.New([][]string{{"b"}, {"a", "c"}}, time.Now())
	s.Nodes["a"] = waves.Result{Status: waves.Failed, Wave: 2, Detail: "no"}
	var got []string
	for id, r := range waveNodes(s) {
		got = append(got, id+" "+string(r.Status)+" "+waveWord(r.Wave))
	}
	if len(got) != 3 || got[0] != "b waiting 1" || got[1] != "a failed 2" || got[2] != "c waiting 2" || waveWord(0) != "" {
		t.Errorf("got %q", got)
	}
}

func TestStateIsKeptForItsOwner(t *testing.T) {
	o := waveOptions{state: filepath.Join(t.TempDir(), "state.json")}
	if err := o.keep(map[string]int{"a": 1}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(o.state)
	if err != nil || info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := (&waveOptions{}).keep(1); err != nil {
		t.Errorf("nowhere: %v", err)
	}
}
