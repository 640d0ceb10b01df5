package transfer

import "sync"

// The states of a File.
const (
	Copied  = "copied"
	Skipped = "skipped" // it was there already, or is nothing that can be copied
	Failed  = "failed"
)

// File is what became of one file.
type File struct {
	Source      string `json:"source"`
	Destination string `json:"destination"`
	Size        int64  `json:"size"`
	SHA256      string `json:"sha256,omitempty"`
	State       string `json:"state"`
	Error       string `json:"error,omitempty"`
}

// Result is what became of a copy to or from one node. Its fields may be read
// once the copy is over.
type Result struct {
	Node  Node   `json:"-"`
	Files []File `json:"files"`
	Bytes int64  `json:"bytes"` // in files that were copied
	Err   error  `json:"-"`     // why the node as a whole failed

	mu sync.Mutex
}

func (r *Result) add(f File) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Files = append(r.Files, f)
	if f.State == Copied {
		r.Bytes += f.Size
	}
}

// drop forgets that files were copied: the copy as a whole has failed.
func (r *Result) drop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Bytes = 0
	for i := range r.Files {
		if r.Files[i].State == Copied {
			r.Files[i].State, r.Files[i].SHA256 = Failed, ""
			r.Files[i].Error = "not put into place"
		}
	}
}

// Count returns how many files are in a state.
func (r *Result) Count(state string) (n int) {
	for i := range r.Files {
		if r.Files[i].State == state {
			n++
		}
	}
	return n
}
