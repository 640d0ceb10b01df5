package grid

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func cells(n int) *Grid {
	g := &Grid{Parallel: 3}
	for i := range n {
		g.Cells = append(g.Cells, Cell{Place: Place{Account: "111111111111", Region: fmt.Sprintf("r-%d", i)}})
	}
	return g
}

func number(region string) (n int) {
	_, _ = fmt.Sscanf(region, "r-%d", &n)
	return n
}

func TestRowsComeAsScopesAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := cells(6)
		var most, now int // touched by several goroutines of one bubble: guarded below
		slots := make(chan struct{}, 1)
		slots <- struct{}{}
		count := func(d int) {
			<-slots
			now += d
			most = max(most, now)
			slots <- struct{}{}
		}
		var order []string
		for r, err := range Gather(t.Context(), g, 0, func(_ context.Context, c Cell) (iter.Seq2[string, error], error) {
			count(1)
			defer count(-1)
			time.Sleep(time.Duration(10-number(c.Region)) * time.Second)
			return func(yield func(string, error) bool) {
				_ = yield("a", nil) && yield("b", nil)
			}, nil
		}) {
			if err != nil {
				t.Fatal(err)
			}
			order = append(order, r.Region+r.Value)
		}
		// Three at a time: the third is the fastest of the first three.
		want := []string{"r-2a", "r-2b", "r-1a", "r-1b", "r-0a", "r-0b", "r-3a", "r-3b", "r-4a", "r-4b", "r-5a", "r-5b"}
		if len(order) != len(want) || !slices.Equal(order[:2], want[:2]) {
			t.Errorf("order %v", order)
		}
		slices.Sort(order)
		slices.Sort(want)
		if !slices.Equal(order, want) {
			t.Errorf("rows %v", order)
		}
		if most != 3 {
			t.Errorf("%d scopes were asked at a time, want 3", most)
		}
	})
}

func TestOneBadScopeDoesNotStopTheOthers(t *testing.T) {
	g := cells(4)
	g.Failures = []Failure{{Place{Account: "222222222222"}, fault.New(fault.Auth, "assume role R", "not allowed")}}
	var rows []string
	var failures []Failure
	for r, err := range Gather(t.Context(), g, 2, func(_ context.Context, c Cell) (iter.Seq2[string, error], error) {
		if c.Region == "r-0" {
			return nil, errors.New("no client")
		}
		return func(yield func(string, error) bool) {
			switch c.Region {
			case "r-1": // breaks off
				_ = yield("one", nil) && yield("", errors.New("broke off"))
			case "r-2": // has more than is wanted
				for yield("more", nil) {
				}
			}
		}, nil
	}) {
		var f *Failure
		if errors.As(err, &f) {
			failures = append(failures, *f)
			continue
		}
		rows = append(rows, r.Region+" "+r.Value)
	}
	slices.Sort(rows)
	if !slices.Equal(rows, []string{"r-1 one", "r-2 more", "r-2 more"}) {
		t.Errorf("rows %v", rows)
	}
	err := g.Fault(failures)
	if fault.KindOf(err) != fault.RemoteFailed {
		t.Fatalf("got %v", err)
	}
	want := "the answer is incomplete: 3 of 5 accounts and Regions failed\n" +
		"111111111111 r-0: no client\n111111111111 r-1: broke off\n222222222222: assume role R: not allowed"
	if err.Error() != want {
		t.Errorf("got %q", err)
	}
}

func TestTheCallerMayStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended atomic.Int32
		for range Gather(t.Context(), cells(3), 0, func(ctx context.Context, c Cell) (iter.Seq2[int, error], error) {
			return func(yield func(int, error) bool) {
				if c.Region == "r-0" {
					time.Sleep(time.Second) // until the others are on their way
				} else {
					<-ctx.Done()
				}
				ended.Add(1)
				yield(1, nil)
			}, nil
		}) {
			break
		}
		if n := ended.Load(); n != 3 {
			t.Errorf("%d lists had ended when Gather returned, want 3", n)
		}
	})
}

func TestAnInterruptIsNoFailureOfScopes(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var last error
	for _, err := range Gather(ctx, cells(2), 0, func(context.Context, Cell) (iter.Seq2[int, error], error) {
		return nil, errors.New("asked all the same")
	}) {
		last = err
	}
	if fault.KindOf(last) != fault.Interrupted {
		t.Errorf("got %v", last)
	}
}

func TestFaults(t *testing.T) {
	auth := fault.New(fault.Auth, "list nodes", "not allowed").WithHint("ask")
	net := fault.New(fault.Failed, "list nodes", "no route")
	at := func(region string) Place { return Place{Account: "111111111111", Region: region} }
	g := cells(2)
	if err := g.Fault(nil); err != nil {
		t.Errorf("no failure is %v", err)
	}
	for _, tt := range []struct {
		name     string
		failures []Failure
		kind     fault.Kind
		text     string
	}{
		{"one of two", []Failure{{at("r-1"), auth}}, fault.RemoteFailed, "1 of 2"},
		{"nobody known", []Failure{{Place{}, auth}, {Place{}, auth}}, fault.Auth, "no account and Region has answered in full\nlist nodes: not allowed"},
		{"all alike", []Failure{{at("r-1"), auth}, {at("r-0"), auth}}, fault.Auth, "no account and Region has answered in full\n111111111111 r-0, r-1: list nodes: not allowed"},
		{"all, in two ways", []Failure{{at("r-1"), auth}, {at("r-0"), net}}, fault.RemoteFailed, "no account"},
	} {
		err := g.Fault(tt.failures)
		if fault.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: %v, %v", tt.name, fault.KindOf(err), err)
		}
	}
	var parts *Incomplete
	if !errors.As(g.Fault([]Failure{{at("r-1"), auth}}), &parts) {
		t.Fatal("no parts")
	}
	got, err := json.Marshal(parts.ErrorFields())
	want := `{"scopes":[{"account":"111111111111","region":"r-1","kind":"auth","message":"list nodes: not allowed","hint":"ask"}],"scopes_asked":2}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
	disabled := &fault.Error{Kind: fault.Auth, Code: "UnrecognizedClientException", Err: errors.New("refused"), Hint: "log in again"}
	if h := fault.HintOf(g.Fault([]Failure{{at("r-1"), disabled}})); !strings.Contains(h, "not enabled") {
		t.Errorf("a Region that is not enabled: hint %q", h)
	}
}

func TestRowsAsJSON(t *testing.T) {
	type object struct {
		ID string `json:"id"`
	}
	place := Place{Account: "111111111111", Region: "eu-west-1"}
	for _, tt := range []struct {
		row  any
		want string
	}{
		{Row[object]{place, object{"<a&b>"}}, `{"account":"111111111111","region":"eu-west-1","id":"<a&b>"}`},
		{Row[struct{}]{place, struct{}{}}, `{"account":"111111111111","region":"eu-west-1"}`},
		{Row[int]{place, 3}, `{"account":"111111111111","region":"eu-west-1","value":3}`},
		{Row[object]{Place{Profile: "p", Region: "eu-west-1"}, object{}}, `{"profile":"p","account":"","region":"eu-west-1","id":""}`},
	} {
		var b strings.Builder
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(tt.row); err != nil || strings.TrimSpace(b.String()) != tt.want {
			t.Errorf("got %s, %v, want %s", b.String(), err, tt.want)
		}
	}
}
