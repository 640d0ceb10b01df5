//go:build !linux

package dash_test

import "time"

var began = time.Now()

// cpuTime is the time that has passed: what a thread has used is not to be had.
func cpuTime() time.Duration { return time.Since(began) }
