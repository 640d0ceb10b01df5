package main

import (
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdValue puts the first line of a file into a variable.
func cmdValue(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: value NAME FILE")
	}
	line, _, _ := strings.Cut(ts.ReadFile(args[1]), "\n")
	if line == "" {
		ts.Fatalf("%s is empty", args[1])
	}
	ts.Setenv(args[0], line)
}

// cmdUntil runs a command again and again, until what it prints matches.
func cmdUntil(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until PATTERN command...")
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		err = ts.Exec(args[1], args[2:]...)
		if err == nil && pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
		time.Sleep(20 * time.Millisecond) // another process is waited for
	}
	ts.Fatalf("%s never printed %s (%v)", strings.Join(args[1:], " "), args[0], err)
}
