package cli

import (
	"os"
	"os/exec"
	"path/filepath"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// PluginName is the program that the AWS CLI hands its sessions to. Under this
// name we keep to its contract.
const PluginName = "session-manager-plugin"

// SelfPath is the path of this program to write down: the one that PATH leads
// to, if that is this program, since it outlives updates.
func SelfPath() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fault.New(fault.Failed, "find this program", "%w", err)
	}
	if found, err := exec.LookPath(filepath.Base(self)); err == nil && SameFile(found, self) {
		return filepath.Abs(found)
	}
	return self, nil
}

// SameFile reports whether two paths are there and lead to one file.
func SameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}
