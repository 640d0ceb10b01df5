package cli

import "syscall"

// Creation flags (learn.microsoft.com/windows/win32/procthread/process-creation-flags).
const (
	detachedProcess = 0x00000008 // no console
	newProcessGroup = 0x00000200 // Ctrl-C of our console is not for it
)

// Detached lets a process live on when the console goes.
func Detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: detachedProcess | newProcessGroup, HideWindow: true}
}
