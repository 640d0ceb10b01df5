package parameter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// store is a Parameter Store with the reads that a sweep needs; each takes a while.
type store struct {
	api
	names   []string
	gone    map[string]bool // listed, and removed before it is read
	denied  []string        // operations
	broken  string          // a name whose batch fails
	latency time.Duration

	mu      sync.Mutex
	calls   map[string]int
	running int
	most    int
}

func newStore(n int) *store {
	s := &store{gone: map[string]bool{}, calls: map[string]int{}, latency: 20 * time.Millisecond}
	for i := range n {
		s.names = append(s.names, fmt.Sprintf("/app/p%05d", i))
	}
	return s
}

func (s *store) enter(ctx context.Context, op string) (func(), error) {
	s.mu.Lock()
	s.calls[op]++
	s.running++
	s.most = max(s.most, s.running)
	s.mu.Unlock()
	leave := func() { s.mu.Lock(); s.running--; s.mu.Unlock() }
	timer := time.NewTimer(s.latency)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
	if slices.Contains(s.denied, op) {
		leave()
		return nil, &smithy.OperationError{ServiceID: "SSM", OperationName: op, Err: &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not authorized"}}
	}
	return leave, nil
}

// page is the part of a list that a token begins; every third page is short.
func page(all []string, token *string, most int) (part []string, next *string) {
	from, _ := strconv.Atoi(aws.ToString(token))
	if from%3 == 2 {
		most = max(most-2, 1)
	}
	to := min(from+most, len(all))
	if to < len(all) {
		next = aws.String(strconv.Itoa(to))
	}
	return all[from:to], next
}

func (s *store) DescribeParameters(ctx context.Context, in *ssm.DescribeParametersInput, _ ...func(*ssm.Options)) (*ssm.DescribeParametersOutput, error) {
	leave, err := s.enter(ctx, "DescribeParameters")
	if err != nil {
		return nil, err
	}
	defer leave()
	names := s.names
	for _, f := range in.ParameterFilters {
		if aws.ToString(f.Key) == "Name" {
			names = f.Values
		}
	}
	part, next := page(names, in.NextToken, int(*in.MaxResults))
	out := &ssm.DescribeParametersOutput{NextToken: next}
	for _, name := range part {
		out.Parameters = append(out.Parameters, types.ParameterMetadata{Name: &name, Description: aws.String("about " + name), Type: types.ParameterTypeString})
	}
	return out, nil
}

func (s *store) GetParameters(ctx context.Context, in *ssm.GetParametersInput, _ ...func(*ssm.Options)) (*ssm.GetParametersOutput, error) {
	leave, err := s.enter(ctx, "GetParameters")
	if err != nil {
		return nil, err
	}
	defer leave()
	out := &ssm.GetParametersOutput{}
	for _, name := range in.Names {
		switch {
		case name == s.broken:
			return nil, errors.New("broken")
		case s.gone[name]:
			out.InvalidParameters = append(out.InvalidParameters, name)
		default:
			out.Parameters = append(out.Parameters, types.Parameter{Name: &name, Value: aws.String("value of " + name), Version: 7})
		}
	}
	return out, nil
}

func (s *store) GetParametersByPath(ctx context.Context, in *ssm.GetParametersByPathInput, _ ...func(*ssm.Options)) (*ssm.GetParametersByPathOutput, error) {
	leave, err := s.enter(ctx, "GetParametersByPath")
	if err != nil {
		return nil, err
	}
	defer leave()
	part, next := page(s.names, in.NextToken, int(*in.MaxResults))
	out := &ssm.GetParametersByPathOutput{NextToken: next}
	for _, name := range part {
		out.Parameters = append(out.Parameters, types.Parameter{Name: &name, Value: aws.String("value of " + name), Version: 7})
	}
	return out, nil
}

func readAll(t *testing.T, s *store, q Query) (map[string]Parameter, error) {
	t.Helper()
	all, err := awsapi.Collect(New(s).Read(t.Context(), q, true))
	found := map[string]Parameter{}
	for _, p := range all {
		if _, twice := found[p.Name]; twice {
			t.Errorf("%s came twice", p.Name)
		}
		if p.Value != "value of "+p.Name {
			t.Errorf("%s has the value %q", p.Name, p.Value)
		}
		found[p.Name] = p
	}
	return found, err
}

// TestEverythingIsReadOnce reads with short pages, parameters that go meanwhile, and
// rights for one of the two ways only.
func TestEverythingIsReadOnce(t *testing.T) {
	const n = 537
	for _, c := range []struct {
		name   string
		q      Query
		denied []string
		sparse bool // without metadata
	}{
		{name: "all", q: Query{}},
		{name: "path", q: Query{Path: "/app"}},
		{name: "values only", q: Query{Path: "/app", ValuesOnly: true}, sparse: true},
		{name: "no right to list", q: Query{Path: "/app"}, denied: []string{"DescribeParameters"}, sparse: true},
		{name: "no right to read names", q: Query{Path: "/app"}, denied: []string{"GetParameters"}, sparse: true},
		{name: "no right to walk", q: Query{Path: "/app", ValuesOnly: true}, denied: []string{"GetParametersByPath"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStore(n)
				s.denied = c.denied
				gone := 0
				if len(c.denied) == 0 {
					for i := 20; i < n; i += 100 {
						s.gone[s.names[i]] = true
						gone++
					}
				}
				found, err := readAll(t, s, c.q)
				if err != nil {
					t.Fatal(err)
				}
				if len(found) != n-gone {
					t.Errorf("%d were found, want %d", len(found), n-gone)
				}
				for _, p := range found {
					if !c.sparse && p.Description != "about "+p.Name {
						t.Fatalf("%s has the description %q", p.Name, p.Description)
					}
				}
			})
		})
	}
}

func TestFewValuesAreOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(9)
		found, err := readAll(t, s, Query{Path: "/app", ValuesOnly: true})
		if err != nil || len(found) != 9 {
			t.Fatalf("%d parameters, %v", len(found), err)
		}
		if s.calls["GetParametersByPath"] != 1 || len(s.calls) != 1 {
			t.Errorf("calls: %v, want one", s.calls)
		}
	})
}

// TestValuesAreReadSideBySide is quick because of what is not one after another.
func TestValuesAreReadSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(10000)
		start := time.Now()
		found, err := readAll(t, s, Query{Path: "/app"})
		if err != nil || len(found) != 10000 {
			t.Fatalf("%d parameters, %v", len(found), err)
		}
		took := time.Since(start)
		walk := time.Duration(s.calls["GetParameters"]) * s.latency
		t.Logf("%s, %v, %d at once", took, s.calls, s.most)
		if took > walk/3 {
			t.Errorf("took %s, and a walk takes %s", took, walk)
		}
		if s.most > readers+1 {
			t.Errorf("%d calls at once", s.most)
		}
	})
}

func TestAFailedReadSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(1000)
		s.broken = s.names[777]
		if found, err := readAll(t, s, Query{}); err == nil || len(found) == 1000 {
			t.Errorf("%d parameters, error %v", len(found), err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := newStore(1000)
		s.denied = []string{"DescribeParameters", "GetParametersByPath"}
		_, err := readAll(t, s, Query{Path: "/app"})
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.Auth || !strings.Contains(err.Error(), "DescribeParameters") {
			t.Errorf("got %v, want a denial that names the action", err)
		}
	})
}

func TestAReaderMayStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(5000)
		n := 0
		for _, err := range New(s).Read(t.Context(), Query{}, false) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n == 15 {
				break
			}
		}
		if s.running != 0 {
			t.Errorf("%d calls are still under way", s.running)
		}
		if s.calls["GetParameters"] > 2*readers {
			t.Errorf("%d reads for 15 values", s.calls["GetParameters"])
		}
	})
}

func TestAnEndedContextEndsARead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(5000)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		_, err := awsapi.Collect(New(s).Read(ctx, Query{}, false))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the deadline", err)
		}
	})
}

func TestMoreNamesThanAFilterTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(0)
		var names []string
		for i := range 123 {
			names = append(names, "/x/"+strconv.Itoa(i))
		}
		all, err := awsapi.Collect(New(s).List(t.Context(), Query{Names: names}))
		if err != nil || len(all) != 123 || s.calls["DescribeParameters"] != 3 {
			t.Errorf("%d parameters in %d calls, %v", len(all), s.calls["DescribeParameters"], err)
		}
	})
}
