// Package filelock locks files between processes. A lock ends with the process that has
// it, however that ends.
package filelock

import (
	"context"
	"os"
	"time"
)

// Take locks path, which need not exist, until release or the end of the process. held
// says that somebody else has it, another caller in this process, too.
func Take(path string) (release func(), held bool, err error) {
	for {
		f, held, err := open(path)
		if err != nil || held {
			return nil, held, err
		}
		// Who held it may have removed it after it was opened here.
		mine, err := f.Stat()
		if err == nil {
			if now, statErr := os.Stat(path); statErr == nil && os.SameFile(mine, now) {
				return func() {
					_ = os.Remove(path)
					_ = f.Close()
				}, false, nil
			}
		}
		_ = f.Close()
		if err != nil {
			return nil, false, err
		}
	}
}

// each is how often Await looks: nobody tells that a lock is free.
const each = 10 * time.Millisecond

// Await is Take that waits while somebody else has the lock; it ends with the error of ctx.
func Await(ctx context.Context, path string) (release func(), err error) {
	for {
		release, held, err := Take(path)
		if !held {
			return release, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(each):
		}
	}
}
