package forwards

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/filelock"
)

// Record is what a process says about itself in the registry.
type Record struct {
	PID        int       `json:"pid"`
	Started    time.Time `json:"started"`
	Background bool      `json:"background"`
	Socket     string    `json:"socket"`
	Forwards   []string  `json:"forwards"`
	// Unsaved: its forward is in no file, but was typed. Profile and Region are those it
	// was typed for, empty as for every command.
	Unsaved  bool          `json:"unsaved,omitempty"`
	Profile  string        `json:"profile,omitempty"`
	Region   string        `json:"region,omitempty"`
	Sessions []OpenSession `json:"sessions"`
	// Dead is when the process was first found dead with sessions that could not be
	// ended.
	Dead time.Time `json:"dead,omitzero"`

	file string
}

// OpenSession is a session that is open at the service, and where.
type OpenSession struct {
	ID       string `json:"id"`
	Profile  string `json:"profile,omitempty"`
	Region   string `json:"region,omitempty"`
	Role     string `json:"role,omitempty"` // ARN of the role that was assumed for it
	Endpoint string `json:"endpoint,omitempty"`
}

// Registry is the folder with a record for each process of this user that runs
// forwards. A process that answers on its socket is alive; the record of a dead
// one tells which sessions it left behind.
type Registry struct{ Dir string }

// recordSuffix ends the names of records.
const recordSuffix = ".run.json"

// Mine is the record of this process, kept up to date. It may be used from
// several goroutines.
type Mine struct {
	mu     sync.Mutex
	record Record
	err    error // of the last write
}

// Register writes the record of this process, whose socket must listen already.
func (r Registry) Register(rec Record) (*Mine, error) {
	rec.file = r.fileOf(&rec)
	m := &Mine{record: rec}
	if m.write(); m.err != nil {
		return nil, fault.New(fault.Failed, "note what runs", "%w", m.err)
	}
	return m, nil
}

// Name is the name under which a forward was claimed.
func (m *Mine) Name() string { return m.record.Forwards[0] }

// fileOf is the file of a record that has no name of its own.
func (r Registry) fileOf(rec *Record) string {
	return filepath.Join(r.Dir, fmt.Sprintf("%d-%d%s", rec.PID, rec.Started.UnixNano(), recordSuffix))
}

// readRecord reads a record; false: it is gone, or no record.
func readRecord(file string) (Record, bool) {
	rec := Record{file: file}
	data, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(data, &rec) != nil {
		return rec, false
	}
	if foreign(file, rec.Socket) {
		rec.Socket = "" // whoever answers there now, it is not the process of the record
	}
	return rec, true
}

// tries bounds how many names are tried.
const tries = 100

// Claim is Register for a forward that is in no file, under the first name that no
// other has of base, base-2, base-3 and so on.
func (r Registry) Claim(ctx context.Context, rec Record, base string) (*Mine, error) {
	rec.Unsaved = true
	var err error
	for i := range tries {
		name := base
		if i > 0 {
			name += "-" + strconv.Itoa(i+1)
		}
		rec.Forwards = []string{name}
		rec.file = filepath.Join(r.Dir, strings.ReplaceAll(name, ":", "=")+recordSuffix)
		if err = create(&rec); errors.Is(err, fs.ErrExist) && r.putAside(ctx, rec.file) {
			err = create(&rec)
		}
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	if err != nil {
		return nil, fault.New(fault.Failed, "note what runs", "%w", err)
	}
	return &Mine{record: rec}, nil
}

// create writes a record that is not there yet.
func create(rec *Record) error {
	data, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(rec.file), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(rec.file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(rec.file)
	}
	return err
}

// claimPatience bounds the question whether the owner of a name is alive.
const claimPatience = time.Second

// putAside frees the name that a dead process had; what it has left open stays on
// record. One process at a time looks and frees: what another looked at before may be the
// record of whoever has claimed the name meanwhile.
func (r Registry) putAside(ctx context.Context, file string) bool {
	ctx, cancel := context.WithTimeout(ctx, claimPatience)
	defer cancel()
	release, err := filelock.Await(ctx, filepath.Join(r.Dir, "claim.lock"))
	if err != nil {
		return false
	}
	defer release()
	rec, ok := readRecord(file)
	if !ok {
		return false
	}
	if _, err := Ask(ctx, rec.Socket, Request{Op: OpStatus}); !nobody(err) {
		return false
	}
	return os.Rename(file, r.fileOf(&rec)) == nil
}

// Opened notes a session as soon as it exists, so that it is never forgotten.
func (m *Mine) Opened(s OpenSession) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.record.Sessions = append(m.record.Sessions, s)
	m.write()
}

// Ended notes that the service knows of a session's end.
func (m *Mine) Ended(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.record.Sessions = slices.DeleteFunc(m.record.Sessions, func(s OpenSession) bool { return s.ID == id })
	m.write()
}

// Leave removes the record, unless sessions are left that the service may still
// have open: then it stays for the next process to end them.
func (m *Mine) Leave() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.record.Sessions) == 0 {
		_ = os.Remove(m.record.file)
	}
}

// write is called with the lock held, or before anybody else has m.
func (m *Mine) write() {
	data, err := json.Marshal(&m.record)
	if err == nil {
		err = config.WriteFileAtomic(m.record.file, data, 0o600)
	}
	m.err = err
}

// Running is a process that runs, as far as is known. One that does not answer,
// because it is suspended, has its forwards in the state Mute.
type Running struct {
	Record
	Rows []Row
}

// Here reports whether this very process runs it.
func (r *Running) Here() bool { return r.PID == os.Getpid() }

// Look asks every process of the registry how it is, all at once: one that is
// suspended lets us wait, and must not hold up the others. dead are the records of
// those that do not run any more.
func (r Registry) Look(ctx context.Context) (alive []Running, dead []Record, err error) {
	files, err := os.ReadDir(r.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fault.New(fault.Failed, "see what runs", "%w", err)
	}
	var (
		found []Running
		asked sync.WaitGroup
	)
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), recordSuffix) {
			continue
		}
		if rec, ok := readRecord(filepath.Join(r.Dir, f.Name())); ok { // else it has just ended, or is not ours to judge
			found = append(found, Running{Record: rec})
		}
	}
	gone := make([]bool, len(found))
	for i := range found {
		asked.Go(func() { gone[i] = !found[i].ask(ctx) })
	}
	asked.Wait()
	for i, p := range found {
		if gone[i] {
			dead = append(dead, p.Record)
		} else {
			alive = append(alive, p)
		}
	}
	return alive, dead, nil
}

// ask asks the process how its forwards are; false: there is none any more.
func (r *Running) ask(ctx context.Context) bool {
	answer, err := Ask(ctx, r.Socket, Request{Op: OpStatus})
	switch {
	case err == nil:
		r.Rows = answer.Forwards
	case nobody(err):
		return false
	default:
		for _, name := range r.Forwards {
			r.Rows = append(r.Rows, Row{Name: name, State: Mute})
		}
	}
	return true
}

// mourned is how long the sessions of a dead process are remembered. Nobody uses them,
// and the service ends what is idle for an hour at most.
const mourned = 24 * time.Hour

// Bury ends the sessions that a dead process has left, by terminate, and forgets
// those that are ended. What cannot be ended now stays for the next time, for a day.
func (r Registry) Bury(rec Record, now time.Time, terminate func(OpenSession) error) error {
	m := &Mine{record: rec}
	var faults []error
	for _, s := range slices.Clone(rec.Sessions) {
		if err := terminate(s); err != nil {
			faults = append(faults, err)
			continue
		}
		m.Ended(s.ID)
	}
	if rec.Socket != "" {
		removeSocket(rec.Socket)
	}
	switch {
	case len(faults) == 0:
	case rec.Dead.IsZero():
		m.record.Dead = now
		m.write()
	case now.Sub(rec.Dead) > mourned:
		m.record.Sessions = nil
	}
	m.Leave()
	return errors.Join(faults...)
}
