package hostshell

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// machine returns a host shell that ends with the test.
func machine(t *testing.T) *Machine {
	t.Helper()
	m, err := New(Options{Root: t.TempDir(), AllowRoot: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return m
}

func TestRootIsRefusedUnlessAllowed(t *testing.T) {
	m, err := New(Options{Root: t.TempDir()})
	if !runningAsRoot() {
		if err != nil {
			t.Fatalf("an ordinary user is refused: %v", err)
		}
		m.Close()
		return
	}
	var fe *fault.Error
	if !errors.As(err, &fe) || fe.Kind != fault.Refused || !strings.Contains(err.Error(), "root") || fe.Hint == "" {
		t.Errorf("got %v", err)
	}
}

func TestCloseRemovesTheScratchDirectory(t *testing.T) {
	m, err := New(Options{Root: t.TempDir(), AllowRoot: true})
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(m.Home()); err != nil || !info.IsDir() {
		t.Fatalf("no scratch directory: %v", err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(m.Home()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the scratch directory is still there: %v", err)
	}
}

func TestNewReportsABadRoot(t *testing.T) {
	if _, err := New(Options{Root: filepath.Join(t.TempDir(), "gone", "dir"), AllowRoot: true}); err == nil {
		t.Error("no error")
	}
}
