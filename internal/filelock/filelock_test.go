package filelock_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/filelock"
)

func TestTake(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	release, held, err := filelock.Take(path)
	if held || err != nil {
		t.Fatalf("%t, %v", held, err)
	}
	if _, held, err := filelock.Take(path); !held || err != nil {
		t.Errorf("taken twice: %t, %v", held, err)
	}
	release()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file stays: %v", err)
	}
	if release, held, err = filelock.Take(path); held || err != nil {
		t.Fatalf("taken again: %t, %v", held, err)
	}
	release()
	if _, held, err := filelock.Take(filepath.Join(path, "none", "lock")); held || err == nil {
		t.Errorf("where there is no folder: %t, %v", held, err)
	}
}

// One at a time has it, however many wait.
func TestAwait(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	var group sync.WaitGroup
	var inside atomic.Int32
	for range 8 {
		group.Go(func() {
			release, err := filelock.Await(t.Context(), path)
			if err != nil {
				t.Error(err)
				return
			}
			defer release()
			if n := inside.Add(1); n != 1 {
				t.Errorf("%d have it", n)
			}
			inside.Add(-1)
		})
	}
	group.Wait()
	release, _, err := filelock.Take(path)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := filelock.Await(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("it waits on: %v", err)
	}
}
