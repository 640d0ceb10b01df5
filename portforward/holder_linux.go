package portforward

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// holder names the process that listens on the TCP port, or "". Only processes
// of the same user can be seen without privileges.
func holder(ctx context.Context, port int) string {
	var inodes []string
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		if b, err := os.ReadFile(table); err == nil {
			inodes = append(inodes, listeningInodes(b, port)...)
		}
	}
	if len(inodes) == 0 {
		return ""
	}
	fds, _ := filepath.Glob("/proc/[0-9]*/fd/[0-9]*") // the pattern is right
	for _, fd := range fds {
		if ctx.Err() != nil {
			return ""
		}
		link, err := os.Readlink(fd)
		if err != nil {
			continue
		}
		inode, ok := strings.CutPrefix(link, "socket:[")
		if ok && slices.Contains(inodes, strings.TrimSuffix(inode, "]")) {
			proc := filepath.Dir(filepath.Dir(fd))
			comm, _ := os.ReadFile(filepath.Join(proc, "comm"))
			return describeHolder(strings.TrimSpace(string(comm)), filepath.Base(proc))
		}
	}
	return ""
}
