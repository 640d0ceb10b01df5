package paramplan

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// StateKind marks the file of a State.
const StateKind = "ssmdeck-parameters"

// StateDir is the folder beside the files in which states are kept.
const StateDir = ".ssmdeck"

const maxState = 64 << 20 // bytes

// State is what was last applied from files in one account and Region: names and
// versions, and nothing from which a value could be found out.
type State struct {
	Kind       string             `json:"kind"` // StateKind
	Account    string             `json:"account"`
	Region     string             `json:"region"`
	Parameters map[string]Applied `json:"parameters"`

	path    string
	mu      sync.Mutex
	journal *os.File
}

// Applied is the version of a parameter that was applied last. Pending says that the
// run which wrote the next one did not live to see the answer.
type Applied struct {
	Version int64 `json:"version"`
	// File is the file that it is written in, relative to the folder of the tree, with
	// slashes.
	File    string `json:"file,omitempty"`
	Pending bool   `json:"pending,omitempty"`
}

// entry is a line of the journal: what becomes of one parameter, written before and
// after each write, and folded into the state at the next start.
type entry struct {
	Begin string `json:"begin,omitempty"`
	Done  string `json:"done,omitempty"`
	Gone  string `json:"gone,omitempty"`
	// Version is the one that was there with Begin, and that was made with Done.
	Version int64  `json:"version,omitempty"`
	File    string `json:"file,omitempty"`
}

// StatePath is where the state for an account and Region is kept beside a folder of
// files.
func StatePath(dir, account, region string) string {
	return filepath.Join(dir, StateDir, "parameters-"+account+"-"+region+".json")
}

// stateKnows reports whether a state that is kept in dir, of any account and Region, has
// parameters of a file whose label begins with prefix.
func stateKnows(dir, prefix string) bool {
	entries, _ := os.ReadDir(filepath.Join(dir, StateDir))
	for _, e := range entries {
		raw, err := readState(filepath.Join(dir, StateDir, e.Name()))
		var s State
		if err != nil || json.Unmarshal(raw, &s) != nil {
			continue
		}
		for _, a := range s.Parameters {
			if strings.HasPrefix(a.File, prefix) {
				return true
			}
		}
	}
	return false
}

// OpenState reads the state in path, with what a run that was killed has left in its
// journal. Without a file it is empty, and fresh is true. A state of another account or
// Region is a Usage error: what was applied there says nothing of what is here.
func OpenState(path, account, region string) (s *State, fresh bool, err error) {
	s = &State{Kind: StateKind, Account: account, Region: region, Parameters: map[string]Applied{}, path: path}
	raw, err := readState(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		fresh = true
	case err != nil:
		return nil, false, err
	default:
		var had State
		if bytes.HasPrefix(raw, []byte("<<<<<<< ")) || bytes.Contains(raw, []byte("\n<<<<<<< ")) {
			return nil, false, fault.Usagef("%s has the marks of a merge that was not ended", path).
				WithHint("take either side whole, as with `git checkout --ours`: what the other side applied counts as drift, and is taken over where it is as in the files")
		}
		if json.Unmarshal(raw, &had) != nil || had.Kind != StateKind {
			return nil, false, fault.Usagef("%s is not the state of applied parameters", path).WithHint("name another file with --state")
		}
		if had.Account != account || had.Region != region {
			return nil, false, fault.Usagef("the state %s is of account %s in %s, and this is account %s in %s", path, had.Account, had.Region, account, region).
				WithHint("choose the account with --profile and --region, or another file with --state")
		}
		for name, a := range had.Parameters {
			s.Parameters[name] = a
		}
	}
	left, err := readState(path + ".journal")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, false, err
	}
	if len(left) > 0 {
		fresh = false
		s.fold(left)
	}
	return s, fresh, nil
}

func readState(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		return nil, fault.New(fault.Usage, "read the state", "%w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fault.Usagef("the state %s is no ordinary file", path).WithHint("name the file itself with --state")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.New(fault.Usage, "read the state", "%w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxState))
	if err != nil {
		return nil, fault.New(fault.Usage, "read the state", "%w", err)
	}
	return raw, nil
}

// fold takes over the lines of a journal. A last line that was not written to its end
// is none.
func (s *State) fold(lines []byte) {
	scan := bufio.NewScanner(bytes.NewReader(lines))
	for scan.Scan() {
		var e entry
		if json.Unmarshal(scan.Bytes(), &e) != nil {
			continue
		}
		switch {
		case e.Begin != "":
			s.Parameters[e.Begin] = Applied{Version: e.Version, File: e.File, Pending: true}
		case e.Done != "":
			s.Parameters[e.Done] = Applied{Version: e.Version, File: e.File}
		case e.Gone != "":
			delete(s.Parameters, e.Gone)
		}
	}
}

// Begin notes on the disk that a parameter of a file is about to be written, over
// version, or made where that is 0.
func (s *State) Begin(name string, version int64, file string) error {
	return s.note(entry{Begin: name, Version: version, File: file})
}

// Done notes on the disk that version of a parameter was applied.
func (s *State) Done(name string, version int64, file string) error {
	return s.note(entry{Done: name, Version: version, File: file})
}

// undone notes that a write that Begin announced was not made, and that what was known
// before is true still.
func (s *State) undone(name string, before Applied, known bool) error {
	if !known {
		return s.Gone(name)
	}
	return s.Done(name, before.Version, before.File)
}

// applied is what is known of a parameter.
func (s *State) applied(name string) (Applied, bool) {
	if s == nil {
		return Applied{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.Parameters[name]
	return a, ok
}

// Gone notes on the disk that a parameter is no longer managed.
func (s *State) Gone(name string) error { return s.note(entry{Gone: name}) }

func (s *State) note(e entry) error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	raw, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if s.journal == nil {
		// O_EXCL: Save has folded and removed what was there.
		if s.journal, err = os.OpenFile(s.path+".journal", os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600); err != nil {
			return s.cannot(err)
		}
	}
	if _, err := s.journal.Write(append(raw, '\n')); err != nil {
		return s.cannot(err)
	}
	if err := s.journal.Sync(); err != nil {
		return s.cannot(err)
	}
	s.fold(raw)
	return nil
}

func (s *State) cannot(err error) error {
	return fault.New(fault.Failed, "keep what was applied in "+s.path, "%w", err)
}

// Save writes the state as a whole, so that a reader sees the old or the new one, and
// removes the journal.
func (s *State) Save() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	raw, err := json.MarshalIndent(s, "", "  ") // with sorted names: it is compared in git
	if err != nil {
		return err
	}
	if err := config.WriteFileAtomic(s.path, append(raw, '\n'), 0o644); err != nil {
		return s.cannot(err)
	}
	if s.journal != nil {
		_ = s.journal.Close()
		s.journal = nil
	}
	if err := os.Remove(s.path + ".journal"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s.cannot(err)
	}
	return nil
}
