//go:build unix

package transfer

import (
	"io/fs"
	"os"
	"syscall"
)

// ours reports whether a folder is this user's and nobody else can enter it.
func ours(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return info.IsDir() && info.Mode().Perm()&0o077 == 0 && ok && int(st.Uid) == os.Geteuid()
}
