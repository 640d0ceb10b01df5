package environ

import "syscall"

// System returns the limits of this system (execve(2), "Limits on size of arguments and
// environment"): 32 pages a string; together a quarter of the stack's limit, between
// 32 pages and 6 MiB.
func System() Limits {
	const pages, most = 32 * 4096, 6 << 20
	total := most
	var stack syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_STACK, &stack); err == nil && stack.Cur/4 < most {
		total = int(stack.Cur / 4)
	}
	return Limits{String: pages, Total: max(total, pages) - 4096} // the program's name and more
}
