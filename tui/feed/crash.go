package feed

import (
	"errors"
	"fmt"
	"io"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// Crashed is a panic behind the dashboard, which ends it: the root writes the trace
// down once the terminal is back.
type Crashed struct {
	Value any
	Stack []byte
}

// Crash is what was recovered in this goroutine. A panic that has come here from another
// one has the stack that it had there.
func Crash(recovered any) Crashed {
	p := wait.NewPanicked(recovered)
	return Crashed{p.Value, p.Stack}
}

// Error describes a crash.
func (c Crashed) Error() string { return fmt.Sprintf("%v", c.Value) }

// Report writes the trace into the file that create makes, and returns what to say of the
// crash, with where it is. Without create the trace is part of that.
func (c Crashed) Report(create func() (w io.WriteCloser, path string, err error)) error {
	f := fault.New(fault.Failed, "", "the dashboard broke: %v", c.Value)
	if create == nil {
		return f.WithHint("report it with this trace:\n%s", c.Stack)
	}
	w, path, err := create()
	if err == nil {
		_, err = fmt.Fprintf(w, "%v\n\n%s", c.Value, c.Stack)
		err = errors.Join(err, w.Close())
	}
	if err != nil {
		return errors.Join(f, fmt.Errorf("and its trace could not be kept: %w", err))
	}
	return f.WithHint("report it with the trace in %s", path)
}
