//go:build unix

package forwards

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Where the folder for temporary files is cleaned, somebody else may come by the name
// of a socket that was ours, and answer there.
func TestTheSocketOfAnotherUserIsNotTheProcessOfTheRecord(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a folder away")
	}
	reg := Registry{Dir: t.TempDir()}
	server, err := Listen("")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	server.Serve(t.Context(), &liar{})
	mine, err := reg.Register(Record{PID: 1, Started: time.Now(), Socket: server.Path(), Forwards: []string{"orders-db"}})
	if err != nil {
		t.Fatal(err)
	}
	mine.Opened(OpenSession{ID: "s1"})
	if alive, dead, err := reg.Look(t.Context()); err != nil || len(alive) != 1 || len(dead) != 0 {
		t.Fatalf("of ourselves: alive %+v, dead %+v, %v", alive, dead, err)
	}
	dir := filepath.Dir(server.Path())
	if err := os.Chown(dir, 12345, 12345); err != nil {
		t.Skip(err)
	}
	alive, dead, err := reg.Look(t.Context())
	if err != nil || len(alive) != 0 || len(dead) != 1 || len(dead[0].Sessions) != 1 {
		t.Fatalf("of somebody else: alive %+v, dead %+v, %v", alive, dead, err)
	}
	if err := reg.Bury(dead[0], time.Now(), func(OpenSession) error { return nil }); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(server.Path()); err != nil {
		t.Errorf("what is another's was removed: %v", err)
	}
}

// liar answers for a forward that it does not run.
type liar struct{ Answering }

func (*liar) Rows() []Row { return []Row{{Name: "orders-db", State: Open}} }
