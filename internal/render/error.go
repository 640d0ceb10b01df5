package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// Error prints a failure, for standard error:
//
//	ssmdeck: error: start session on i-0abc: agent is not connected
//	ssmdeck: hint: run `ssmdeck doctor i-0abc`
//
// The lines of a longer cause are indented under the first; beyond ten they are
// counted. With debug the service's code and request id follow. As JSON it is
// one line, {"error":{"kind","message","hint","code","request_id"}}, of which
// the last three are left out when empty; an error in the chain that has an
// ErrorFields method adds what it returns. styles may be nil. A nil error and a
// *fault.Exit, which has said what there was to say, print nothing.
func Error(w io.Writer, styles *theme.Styles, err error, asJSON, debug bool) {
	var exit *fault.Exit
	if err == nil || errors.As(err, &exit) {
		return
	}
	code, request := serviceError(err)
	var b strings.Builder
	if asJSON {
		writeErrorJSON(&b, err, code, request)
	} else {
		writeErrorText(&b, styles, err)
		if debug && code+request != "" {
			fmt.Fprintf(&b, "ssmdeck: debug: code %s, request id %s\n", orNone(code), orNone(request))
		}
	}
	// Nothing is left to report a failing standard error on.
	_, _ = io.WriteString(w, b.String())
}

func writeErrorText(b *strings.Builder, styles *theme.Styles, err error) {
	label, hint := "error:", "hint:"
	if styles != nil && styles.Color {
		label, hint = styles.Bad.Render(label), styles.Accent.Render(hint)
	}
	const most = 10 // lines
	var lines []string
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, Visible(line))
		}
	}
	if len(lines) == 0 {
		lines = []string{"unknown"}
	}
	fmt.Fprintf(b, "ssmdeck: %s %s\n", label, lines[0])
	for i, line := range lines[1:] {
		if i == most-1 {
			fmt.Fprintf(b, "  and %d more lines\n", len(lines)-most)
			break
		}
		b.WriteString("  " + line + "\n")
	}
	if h := fault.HintOf(err); h != "" {
		fmt.Fprintf(b, "ssmdeck: %s %s\n", hint, Visible(h))
	}
}

func writeErrorJSON(b *strings.Builder, err error, code, request string) {
	var v struct {
		Error struct {
			Kind      string `json:"kind"`
			Message   string `json:"message"`
			Hint      string `json:"hint,omitempty"`
			Code      string `json:"code,omitempty"`
			RequestID string `json:"request_id,omitempty"`
		} `json:"error"`
	}
	v.Error.Kind, v.Error.Message = fault.KindOf(err).String(), err.Error()
	v.Error.Hint, v.Error.Code, v.Error.RequestID = fault.HintOf(err), code, request
	b.Write(escapeControls(withFields(encoded(v), err), jsonEscape))
}

// withFields adds the ErrorFields of err, in the order of their names, to the
// inner object of an encoded error.
func withFields(object []byte, err error) []byte {
	var more interface{ ErrorFields() map[string]any }
	if !errors.As(err, &more) {
		return object
	}
	object = bytes.TrimSuffix(object, []byte("}}\n"))
	fields := more.ErrorFields()
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		object = append(append(object, ','), bytes.TrimSpace(encoded(name))...)
		object = append(append(object, ':'), bytes.TrimSpace(encoded(fields[name]))...)
	}
	return append(object, "}}\n"...)
}

// encoded is v, which holds texts and numbers, as JSON and a line break.
func encoded(v any) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // texts and numbers can always be encoded
	return out.Bytes()
}

// serviceError returns the service's code and request id, from the outermost
// error that has one.
func serviceError(err error) (code, request string) {
	for err != nil {
		var e *fault.Error
		if !errors.As(err, &e) {
			return "", ""
		}
		if e.Code != "" || e.RequestID != "" {
			return e.Code, e.RequestID
		}
		err = e.Err
	}
	return "", ""
}

func orNone(s string) string {
	if s == "" {
		return "unknown"
	}
	return Visible(s)
}
