package world

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
)

// fakeMachine runs scripts with a Go function, the node's id in hand.
type fakeMachine struct {
	id  string
	run func(ctx context.Context, id string, c shell.Command, io shell.IO) (int, error)
}

func (m fakeMachine) Run(ctx context.Context, c shell.Command, io shell.IO) (int, error) {
	return m.run(ctx, m.id, c, io)
}

func (fakeMachine) Start(context.Context, shell.TTYOptions) (shell.TTY, error) {
	return nil, errors.New("not in this test")
}

type runFunc = func(ctx context.Context, id string, c shell.Command, io shell.IO) (int, error)

// succeed prints the script and exits with 0.
func succeed(_ context.Context, _ string, c shell.Command, io shell.IO) (int, error) {
	_, err := io.Stdout.Write([]byte(c.Script + "\n"))
	return 0, err
}

// newWorld makes a world of the YAML given, whose machines run scripts with run.
func newWorld(t *testing.T, scenario string, run runFunc) *World {
	t.Helper()
	sc, err := ParseScenario("test", []byte(scenario))
	if err != nil {
		t.Fatal(err)
	}
	w, err := New(sc, Config{Machine: func(n Node, _ NodeSpec, _ DialFunc) (shell.Machine, error) {
		return fakeMachine{n.ID, run}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// codeOf is the API error code of err, or the error itself.
func codeOf(err error) string {
	var e *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Code
	}
	return "not modelled: " + err.Error()
}

// fleet is a scenario of n online Linux nodes i-000…0 and up, tagged env=prod.
func fleet(n int) string {
	var b strings.Builder
	b.WriteString("run_command: {visible_after: 0s}\nnodes:\n")
	for i := range n {
		b.WriteString("  - {id: " + nodeName(i) + ", tags: {env: prod}}\n")
	}
	return b.String()
}

func nodeName(i int) string {
	const digits = "0123456789"
	return "i-000000000000000" + string([]byte{digits[i/10], digits[i%10]})
}

// noMachine makes machines for tests in which nothing is said about what they do.
func noMachine(n Node, _ NodeSpec, _ DialFunc) (shell.Machine, error) {
	return fakeMachine{n.ID, succeed}, nil
}

// diff returns "" when the two are equal, else both.
func diff(want, got any) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	return fmt.Sprintf("got  %+v\nwant %+v", got, want)
}
