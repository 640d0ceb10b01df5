package portforward

import (
	"errors"
	"net"
	"syscall"
)

// Codes of Winsock (winsock2.h), which package syscall does not name.
const (
	wsaEACCES       = syscall.Errno(10013) // also for ports in a reserved range
	wsaEADDRINUSE   = syscall.Errno(10048)
	wsaECONNREFUSED = syscall.Errno(10061)
)

func inUse(err error) bool      { return errors.Is(err, wsaEADDRINUSE) }
func denied(err error) bool     { return errors.Is(err, wsaEACCES) }
func unanswered(err error) bool { return errors.Is(err, wsaECONNREFUSED) }

// privateSocket listens on path. The folder's access list says who may connect.
func privateSocket(path string) (*net.UnixListener, error) {
	return net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
}
