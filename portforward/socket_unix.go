//go:build unix

package portforward

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

func inUse(err error) bool      { return errors.Is(err, syscall.EADDRINUSE) }
func denied(err error) bool     { return errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EPERM) }
func unanswered(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// privateSocket listens on path with mode 0600. The socket is made inside a
// folder of ours and moved when its mode is right, so that there is no moment in
// which others can connect; the umask, which would do the same, belongs to the
// whole process.
func privateSocket(path string) (*net.UnixListener, error) {
	dir, err := os.MkdirTemp(filepath.Dir(path), ".s")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	inner := filepath.Join(dir, "s")
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: inner, Net: "unix"})
	if err != nil {
		return nil, err
	}
	ln.SetUnlinkOnClose(false)
	if err = os.Chmod(inner, 0o600); err == nil {
		err = os.Rename(inner, path)
	}
	if err != nil {
		_ = ln.Close()
		return nil, err
	}
	return ln, nil
}
