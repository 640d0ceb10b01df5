//go:build unix

package param

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestAPipeThatNobodyWritesToEndsWithTheContext opens a named pipe, which waits.
func TestAPipeThatNobodyWritesToEndsWithTheContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := openLog(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if w, err := os.OpenFile(path, os.O_RDWR, 0); err == nil { // lets the one that waits go
		w.Close()
	}
}
