package tui_test

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

func cells(s string) int { return ansi.StringWidth(s) }

// withoutPointer takes the sign of the page shown out of the line of the tabs.
func withoutPointer(frame string) string { return strings.Replace(frame, "2▸Fleet", "2 Fleet", 1) }
