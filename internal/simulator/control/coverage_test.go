package control

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/simulator/model"
)

// common are the errors that every operation can answer.
var common = []string{"ValidationException", "SerializationException", "AccessDeniedException", "ThrottlingException", "ExpiredTokenException"}

// beyond are errors that the model does not list for an operation and that the
// simulator answers nevertheless: it has no other for the parameters of a
// session's document.
var beyond = map[string][]string{"StartSession": {"InvalidParameters"}}

// answer is what an operation said to a request.
type answer struct {
	status int
	code   string // of the error, or empty
	body   map[string]any
}

func (f *fixture) call(op string, body any) answer {
	f.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		f.t.Fatal(err)
	}
	a, err := readAnswer(f.post("AmazonSSM."+op, string(text)))
	if err != nil {
		f.t.Fatalf("%s: %v", op, err)
	}
	return a
}

func readAnswer(rec *httptest.ResponseRecorder) (answer, error) {
	a := answer{status: rec.Code}
	dec := json.NewDecoder(bytes.NewReader(rec.Body.Bytes()))
	dec.UseNumber()
	err := dec.Decode(&a.body)
	a.code, _ = a.body["__type"].(string)
	return a, err
}

// faultsOf are the ways in which an answer is not one that the service gives.
func (a answer) faultsOf(o *model.Operation) []string {
	switch {
	case a.status >= http.StatusInternalServerError:
		return []string{fmt.Sprintf("status %d: %v", a.status, a.body)}
	case a.code == "":
		return o.Answer.Deviations("answer", a.body)
	case !slices.Contains(common, a.code) && !slices.Contains(o.Errors, a.code) && !slices.Contains(beyond[o.Name], a.code):
		return []string{fmt.Sprintf("%s is no error of this operation: %v", a.code, a.body)}
	}
	return nil
}

// TestEveryOperationAnswersAMinimalRequest prints how the 154 operations answer
// the smallest request that the model allows, in an account that has a fleet and
// little else.
func TestEveryOperationAnswersAMinimalRequest(t *testing.T) {
	f := newFixture(t, "demo", nil)
	counts := map[string][]string{}
	for _, name := range model.Names() {
		o := model.SSM()[name]
		a := f.call(name, minimal(o.Request))
		for _, fault := range a.faultsOf(o) {
			t.Errorf("%s: %s", name, fault)
		}
		outcome := a.code
		if outcome == "" {
			outcome = "ok"
		}
		counts[outcome] = append(counts[outcome], name)
	}
	for _, outcome := range slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return len(counts[b]) - len(counts[a]) }) {
		t.Logf("%4d %s: %s", len(counts[outcome]), outcome, strings.Join(counts[outcome], " "))
	}
	t.Logf("%4d operations", len(model.Names()))
}

func TestEveryViolationIsRefused(t *testing.T) {
	f := newFixture(t, "", nil)
	counts := map[string]int{}
	for _, name := range model.Names() {
		if _, ok := f.ops["AmazonSSM."+name]; !ok {
			continue // the other test tells
		}
		for _, v := range violations(model.SSM()[name]) {
			a := f.call(name, v.body)
			message, _ := a.body["message"].(string)
			if a.code != "ValidationException" || !strings.Contains(message, "failed to satisfy constraint") {
				t.Errorf("%s: %s %s: got %v", name, v.what, v.where, a.body)
			}
			what, _, _ := strings.Cut(v.what, " inside")
			what, _, _ = strings.Cut(what, " ")
			counts[what]++
		}
	}
	t.Logf("violations: %v", counts)
}

// TestOddValuesAreAnswered gives every member of every operation values of other
// types and shapes: none may panic, or be the simulator's own failure.
func TestOddValuesAreAnswered(t *testing.T) {
	f := newFixture(t, "demo", nil)
	odd := []any{nil, true, -1, 1.5, 1e300, "", "\x00", "x", []any{}, []any{nil}, []any{[]any{}}, []any{map[string]any{}}, map[string]any{}, map[string]any{"a": nil}}
	n := 0
	for _, name := range model.Names() {
		o := model.SSM()[name]
		for _, m := range o.Request.Members {
			for _, v := range odd {
				body, ok := minimal(o.Request).(map[string]any)
				if !ok {
					t.Fatalf("%s: a request is a structure", name)
				}
				body[m.Name] = v
				for _, fault := range f.call(name, body).faultsOf(o) {
					t.Errorf("%s %s=%v: %s", name, m.Name, v, fault)
				}
				n++
			}
		}
	}
	t.Logf("%d requests", n)
}
