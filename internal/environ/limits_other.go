//go:build !linux && !windows

package environ

// System returns the limits of this system: 1 MiB together on macOS (sysctl
// kern.argmax), less what the system adds.
func System() Limits { return Limits{Total: 1<<20 - 4096} }
