package forwards

import (
	"errors"
	"syscall"
)

// wsaeConnRefused is the error of Windows' sockets (winsock2.h).
const wsaeConnRefused = syscall.Errno(10061)

// refused reports whether nobody listens on a socket whose file exists.
func refused(err error) bool { return errors.Is(err, wsaeConnRefused) }

// foreign is for systems whose folder for temporary files is everybody's.
func foreign(_, _ string) bool { return false }
