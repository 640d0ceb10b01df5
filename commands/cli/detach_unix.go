//go:build unix

package cli

import "syscall"

// Detached lets a process live on when the terminal goes: it has a session of its
// own.
func Detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
