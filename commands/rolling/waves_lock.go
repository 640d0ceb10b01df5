package rolling

import (
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/filelock"
)

// LockState makes this process the only one that goes on with the state in file,
// until release or its end, however it ends. Of a file that another process goes on
// with the error is a Refused fault: two would do everything twice.
func LockState(file string) (release func(), err error) {
	path := file + ".lock"
	release, held, err := filelock.Take(path)
	switch {
	case err != nil:
		return nil, fault.New(fault.Failed, "lock "+path, "%w", err)
	case held:
		return nil, fault.New(fault.Refused, "", "another ssmdeck goes on with %s", file).
			WithHint("wait for it to end, or end it: what it has sent goes on, and is found again")
	}
	return release, nil
}
