//go:build unix && !linux

package portforward

import (
	"context"
	"os/exec"
	"strconv"
)

// holder names the process that listens on the TCP port, or "" when lsof is
// missing or does not tell.
func holder(ctx context.Context, port int) string {
	out, err := exec.CommandContext(ctx, "lsof", "-nP", "-iTCP:"+strconv.Itoa(port), "-sTCP:LISTEN", "-Fpc").Output()
	if err != nil {
		return ""
	}
	return lsofHolder(out)
}
