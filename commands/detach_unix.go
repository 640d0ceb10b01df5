//go:build unix

package commands

import "syscall"

// detached lets a process live on when the terminal goes: it has a session of its
// own.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
