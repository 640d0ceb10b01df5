package tui_test

import "github.com/charmbracelet/x/ansi"

func cells(s string) int { return ansi.StringWidth(s) }
