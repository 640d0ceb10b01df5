package render

import "syscall"

// brokenPipeErrors: Windows says ERROR_NO_DATA (232) when the reader of a pipe
// has closed it, and ERROR_BROKEN_PIPE when it has ended.
func brokenPipeErrors() []error {
	return []error{syscall.Errno(232), syscall.ERROR_BROKEN_PIPE, syscall.EPIPE}
}
