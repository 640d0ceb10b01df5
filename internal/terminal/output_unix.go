//go:build unix

package terminal

import "os"

// prepareOutput does nothing: Unix terminals interpret escape sequences always.
func prepareOutput(*os.File) (undo func() error, err error) {
	return func() error { return nil }, nil
}
