package portforward

import (
	"bufio"
	"bytes"
	"strconv"
	"strings"
)

// tcpListen is the state LISTEN in /proc/net/tcp (include/net/tcp_states.h).
const tcpListen = "0A"

// listeningInodes reads /proc/net/tcp or tcp6 and returns the inodes of the
// sockets that listen on port.
func listeningInodes(table []byte, port int) []string {
	var inodes []string
	lines := bufio.NewScanner(bytes.NewReader(table))
	for lines.Scan() {
		// sl local_address rem_address st queues tr retrnsmt uid timeout inode ...
		f := strings.Fields(lines.Text())
		if len(f) < 10 || f[3] != tcpListen {
			continue
		}
		_, hex, _ := strings.Cut(f[1], ":")
		if p, err := strconv.ParseUint(hex, 16, 16); err == nil && int(p) == port {
			inodes = append(inodes, f[9])
		}
	}
	return inodes
}

// lsofHolder reads the output of lsof -Fpc: lines "p<pid>" and "c<command>".
func lsofHolder(out []byte) string {
	var pid, name string
	for line := range strings.Lines(string(out)) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, "p") && pid == "":
			pid = line[1:]
		case strings.HasPrefix(line, "c") && name == "":
			name = line[1:]
		}
	}
	return describeHolder(name, pid)
}

// describeHolder is how a process is named in a message; a name may hold
// anything, so it is quoted unless it is plain.
func describeHolder(name, pid string) string {
	if _, err := strconv.Atoi(pid); err != nil {
		return ""
	}
	if name == "" {
		return "process " + pid
	}
	if q := strconv.Quote(name); q != `"`+name+`"` {
		name = q
	}
	return name + " (process " + pid + ")"
}
