package dash

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// opener is the program that opens an address on a platform.
func opener(goos string) []string {
	switch goos {
	case "darwin":
		return []string{"open"}
	case "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler"}
	default:
		return []string{"xdg-open"}
	}
}

// browse opens an address of the console in the browser. Only https goes there.
func (w *wiring) browse(ctx context.Context, url string) error {
	if !strings.HasPrefix(url, "https://") {
		return fault.Usagef("%s is no address of the console", url)
	}
	words := append(opener(runtime.GOOS), url)
	if _, err := exec.LookPath(words[0]); err != nil {
		return fault.New(fault.Failed, "open the browser", "%s is not installed", words[0]).WithHint("open %s yourself", url)
	}
	out, err := exec.CommandContext(ctx, words[0], words[1:]...).CombinedOutput()
	if err != nil {
		return fault.New(fault.Failed, "open the browser", "%s: %w", strings.TrimSpace(fmt.Sprintf("%.200s", out)), err).WithHint("open %s yourself", url)
	}
	return nil
}
