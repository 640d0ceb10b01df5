package grid

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Failure is a scope, or a whole account, that did not answer or not to the end.
type Failure struct {
	Place
	Err error
}

// Error returns "222222222222 eu-west-1: what".
func (f *Failure) Error() string {
	if where := f.Place.String(); where != "" {
		return where + ": " + f.Err.Error()
	}
	return f.Err.Error() // before account and Region were known
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Incomplete is the cause of an error about a grid of which some scopes failed.
type Incomplete struct {
	Failures []Failure // sorted
	Of       int       // how many scopes were asked
}

// Error says how many failed, then which and why, a line for each reason.
func (e *Incomplete) Error() string {
	var b strings.Builder
	if len(e.Failures) == e.Of {
		b.WriteString("no account and Region has answered in full")
	} else {
		fmt.Fprintf(&b, "the answer is incomplete: %d of %d accounts and Regions failed", len(e.Failures), e.Of)
	}
	for _, line := range e.lines() {
		b.WriteString("\n" + line)
	}
	return b.String()
}

// lines joins the Regions of an account that have the same to say.
func (e *Incomplete) lines() []string {
	type reason struct{ who, text string }
	var order []reason
	regions := map[reason][]string{}
	for _, f := range e.Failures {
		who := f.Account
		if who == "" {
			who = f.Profile
		}
		r := reason{who, f.Err.Error()}
		if _, ok := regions[r]; !ok {
			order = append(order, r)
		}
		regions[r] = append(regions[r], f.Region)
	}
	lines := make([]string, len(order))
	for i, r := range order {
		where := strings.TrimSpace(r.who + " " + strings.Join(slices.Compact(regions[r]), ", "))
		if lines[i] = r.text; where != "" {
			lines[i] = where + ": " + r.text
		}
	}
	return lines
}

// FailedScope is one failure as it stands in JSON errors, under "scopes".
type FailedScope struct {
	Place
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Code    string `json:"code,omitempty"` // the service's own
}

// ErrorFields returns what JSON errors have beside the usual fields.
func (e *Incomplete) ErrorFields() map[string]any {
	scopes := make([]FailedScope, len(e.Failures))
	for i, f := range e.Failures {
		scopes[i] = FailedScope{f.Place, fault.KindOf(f.Err).String(), f.Err.Error(), hint(f.Err), code(f.Err)}
	}
	return map[string]any{"scopes": scopes, "scopes_asked": e.Of}
}

// Fault returns the error of an answer with the given failures: nil for none; of
// fault.RemoteFailed when some scopes have answered, or when they failed in
// different ways; else of the kind that they have in common.
func (g *Grid) Fault(failures []Failure) error {
	if len(failures) == 0 {
		return nil
	}
	failures = slices.Clone(failures)
	slices.SortStableFunc(failures, func(a, b Failure) int { return strings.Compare(a.Place.String(), b.Place.String()) })
	e := &fault.Error{
		Kind: fault.RemoteFailed, Hint: hint(failures[0].Err),
		Err: &Incomplete{Failures: failures, Of: len(g.Cells) + len(g.Failures)},
	}
	kind := fault.KindOf(failures[0].Err)
	common := !slices.ContainsFunc(failures, func(f Failure) bool { return fault.KindOf(f.Err) != kind })
	if common && len(failures) == len(g.Cells)+len(g.Failures) {
		e.Kind = kind
	}
	return e
}

// refused reports whether a service does not take the credentials, which is what
// a Region says that an account has not enabled.
func refused(err error) bool {
	return slices.Contains([]string{"UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure"}, code(err))
}

func hint(err error) string {
	if refused(err) {
		return "a Region that is not enabled for the account refuses all credentials: --all-regions leaves those out"
	}
	return fault.HintOf(err)
}

func code(err error) string {
	var e *fault.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
