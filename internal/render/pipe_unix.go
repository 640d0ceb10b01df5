//go:build unix

package render

import "syscall"

func brokenPipeErrors() []error { return []error{syscall.EPIPE} }
