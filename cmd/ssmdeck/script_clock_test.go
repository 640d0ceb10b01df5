package main

import (
	"context"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdClock puts the simulator's clock forward and waits for what that sets off.
func cmdClock(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: clock DURATION|TIME")
	}
	srv := simulators.get(ts)
	to, err := time.Parse(time.RFC3339, args[0])
	if err != nil {
		d, err := time.ParseDuration(args[0])
		ts.Check(err)
		to = srv.World().Now().Add(d)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ts.Check(srv.Forward(ctx, to))
}
