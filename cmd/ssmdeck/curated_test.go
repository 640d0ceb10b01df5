package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/rawapi"
)

// recorder adds up which operations the scripts' simulators have served. Scripts
// that use `ssmdeck api` do not count: it calls anything.
type recorder struct {
	mu     sync.Mutex
	ran    map[string]bool // scripts
	called map[string]bool // operations
}

// curated is what everyday commands have called.
var curated recorder

// add notes the calls of one script's simulator.
func (r *recorder) add(script string, calls map[string]int) {
	text, err := os.ReadFile(filepath.Join("testdata", "script", script+".txtar"))
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ran == nil {
		r.ran, r.called = map[string]bool{}, map[string]bool{}
	}
	r.ran[script] = true
	if err != nil || strings.Contains(string(text), "ssmdeck api ") {
		return
	}
	for operation, n := range calls {
		if n > 0 {
			r.called[operation] = true
		}
	}
}

// notByScripts are operations whose commands are not tried by a script, with the
// test that does it.
var notByScripts = map[string]string{
	"ResumeSession": "the tests of survival, which cut links",
}

// checkCurated is TestCuratedCommandsCallTheirOperations: every operation that
// everyday commands are said to call is called by one of them. It looks when all
// scripts have run.
func checkCurated(t *testing.T) {
	scripts, err := filepath.Glob(filepath.Join("testdata", "script", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	curated.mu.Lock()
	defer curated.mu.Unlock()
	with := 0
	for _, path := range scripts {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		if strings.Contains(string(text), "\nsimulate") || strings.HasPrefix(string(text), "simulate") {
			if with++; !curated.ran[name] {
				t.Logf("%s has not run: what commands call is not checked", name)
				return
			}
		}
	}
	var missing []string
	said, called := 0, 0
	for _, op := range rawapi.Operations() {
		if len(op.Commands) == 0 {
			continue
		}
		said++
		switch {
		case curated.called[op.Name]:
			called++
		case notByScripts[op.Name] == "":
			missing = append(missing, op.Name+" ("+strings.Join(op.Commands, ", ")+")")
		}
	}
	slices.Sort(missing)
	t.Logf("%d operations have everyday commands, %d of them are called by %d scripts", said, called, with)
	if len(missing) > 0 {
		t.Errorf("no script calls: %s", strings.Join(missing, "; "))
	}
}
