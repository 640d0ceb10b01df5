package render

import (
	"bytes"
	"testing"
)

func TestCheckSaysNothing(t *testing.T) {
	var notes bytes.Buffer
	table := Table[string]{Empty: "nothing here", Columns: []Column[string]{{Name: "NAME", Text: func(s string) string { return s }}}}
	if err := table.Check(Options{Notes: &notes}); err != nil || notes.Len() > 0 {
		t.Errorf("%v, notes %q", err, notes.String())
	}
	if err := table.Check(Options{Columns: []string{"nmae"}, Notes: &notes}); err == nil {
		t.Error("an unknown column is accepted")
	}
}
