package rolling

import (
	"os"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// LockState makes this process the only one that goes on with the state in file,
// until release or its end, however it ends. Of a file that another process goes on
// with the error is a Refused fault: two would do everything twice.
func LockState(file string) (release func(), err error) {
	path := file + ".lock"
	for {
		f, held, err := lockFile(path)
		switch {
		case err != nil:
			return nil, fault.New(fault.Failed, "lock "+path, "%w", err)
		case held:
			return nil, fault.New(fault.Refused, "", "another ssmdeck goes on with %s", file).
				WithHint("wait for it to end, or end it: what it has sent goes on, and is found again")
		}
		// Who held it may have removed it after it was opened here.
		mine, err := f.Stat()
		if err == nil {
			if now, statErr := os.Stat(path); statErr == nil && os.SameFile(mine, now) {
				return func() {
					_ = os.Remove(path)
					_ = f.Close()
				}, nil
			}
		}
		_ = f.Close()
		if err != nil {
			return nil, fault.New(fault.Failed, "lock "+path, "%w", err)
		}
	}
}
