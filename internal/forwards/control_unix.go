//go:build unix

package forwards

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// refused reports whether nobody listens on a socket whose file exists.
func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// foreign reports whether the folder of a socket belongs to somebody else than us and
// than the record that names it: ours has been removed, and its name is another's now.
func foreign(record, socket string) bool {
	its, there := owner(filepath.Dir(socket))
	writer, known := owner(record)
	return there && known && its != writer && its != uint32(os.Geteuid()) // file systems of others tell other owners
}

func owner(path string) (uid uint32, known bool) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, false
	}
	stat, known := info.Sys().(*syscall.Stat_t)
	if !known {
		return 0, false
	}
	return stat.Uid, true
}
