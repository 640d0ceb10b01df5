//go:build !linux

package main

import (
	"os"
	"testing"
	"time"
)

// cpu and peak are known on Linux only.
func (*process) cpu(*testing.B) time.Duration { return 0 }
func (*process) peak(*testing.B) float64      { return 0 }
func peakOf(*os.ProcessState) float64         { return 0 }
