package main

import (
	"context"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdClock puts the clock of the script's simulator forward, by a duration or to a
// time, and returns when all that was due has happened.
func cmdClock(ts *testscript.TestScript, neg bool, args []string) {
	srv := simulators.get(ts)
	if neg || len(args) != 1 || srv == nil {
		ts.Fatalf("usage: clock DURATION|TIME, after simulate")
	}
	to, err := time.Parse(time.RFC3339, args[0])
	if err != nil {
		d, err := time.ParseDuration(args[0])
		ts.Check(err)
		to = srv.World().Now().Add(d)
	}
	ts.Check(srv.Forward(context.Background(), to))
}
