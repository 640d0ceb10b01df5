//go:build unix

package forwards

import (
	"errors"
	"syscall"
)

// refused reports whether nobody listens on a socket whose file exists.
func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
