package dash

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/tui"
)

// layoutFile is where the layout is kept; empty: nowhere, as in the demo, which
// leaves nothing behind.
func (w *wiring) layoutFile() string {
	if w.env.Local != nil {
		return ""
	}
	dir, err := config.StateDir(w.env.Lookup, runtime.GOOS)
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "dash.json")
}

// maxLayout bounds what is read of a layout, in bytes.
const maxLayout = 1 << 20

// layout is what was kept. What cannot be read is as if there was nothing: a broken
// file must not keep anybody from the dashboard.
func (w *wiring) layout() (l tui.Layout) {
	f, err := os.Open(w.layoutFile())
	if err != nil {
		return tui.Layout{}
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxLayout))
	if err != nil || json.Unmarshal(data, &l) != nil {
		return tui.Layout{}
	}
	return l
}

// keep keeps a layout.
func (w *wiring) keep(l tui.Layout) error {
	path := w.layoutFile()
	if path == "" {
		return nil
	}
	data, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return fmt.Errorf("keep the layout: %w", err)
	}
	return config.WriteFileAtomic(path, append(data, '\n'), 0o600)
}

// crashFile makes the file for the trace of a panic, which only its owner can read.
func (w *wiring) crashFile() (io.WriteCloser, string, error) {
	f, err := os.CreateTemp("", "ssmdeck-crash-*.txt")
	if err != nil {
		return nil, "", err
	}
	return f, f.Name(), nil
}
