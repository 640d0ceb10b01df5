package world

import (
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/patches"
)

// snapshotAge is how long a snapshot can be read (User Guide, "About
// AWS-RunPatchBaseline").
const snapshotAge = 24 * time.Hour

// snapshotFile is the text of a snapshot for one node.
type snapshotFile struct {
	data []byte
	made time.Time
}

// PutSnapshotFile keeps the text of a snapshot.
func (w *World) PutSnapshotFile(node, id string, data []byte) {
	w.patching.mu.Lock()
	defer w.patching.mu.Unlock()
	if len(w.patching.files) >= mostSnapshots {
		clear(w.patching.files)
	}
	w.patching.files[node+"/"+id] = snapshotFile{data, w.now()}
}

// SnapshotFile is the text of a snapshot that was asked for within a day.
func (w *World) SnapshotFile(node, id string) ([]byte, bool) {
	w.patching.mu.Lock()
	defer w.patching.mu.Unlock()
	f, ok := w.patching.files[node+"/"+id]
	if !ok || w.now().Sub(f.made) > snapshotAge {
		return nil, false
	}
	return f.data, true
}

// Product is the product that a node runs.
func (n Node) Product() *patches.Product {
	return patches.ProductOf(n.OperatingSystem(), n.PlatformName, n.PlatformVersion)
}
