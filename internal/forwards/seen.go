package forwards

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/config"
)

// seenFile holds a hash for each project's file that was used, one a line.
const seenFile = "projects"

// FirstUse reports whether a project's file, with what it holds now, is used for
// the first time, and notes in dir that it was.
func FirstUse(dir, path string) bool {
	data, err := os.ReadFile(path)
	if err != nil {
		return true
	}
	sum := sha256.Sum256(append([]byte(path+"\x00"), data...))
	mark := hex.EncodeToString(sum[:])
	notes := filepath.Join(dir, seenFile)
	seen, _ := os.ReadFile(notes) // none yet
	if slices.Contains(strings.Fields(string(seen)), mark) {
		return false
	}
	_ = config.WriteFileAtomic(notes, append(seen, mark+"\n"...), 0o600) // else it is said again
	return true
}
