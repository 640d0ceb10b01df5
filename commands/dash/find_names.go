package dash

import (
	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/internal/window"
)

// What things are called, for the palette.

func parameterNames(p *parameter.Parameter) [3]string { return [3]string{p.Name} }

func windowNames(w *window.Whole) [3]string { return [3]string{w.Name, w.ID} }

func commandNames(c *run.Command) [3]string { return [3]string{c.ID, c.RunID, c.Comment} }

func executionNames(e *automation.Execution) [3]string { return [3]string{e.ID, e.Document} }

func sessionNames(e *sessions.Entry) [3]string { return [3]string{e.ID, e.Target} }
