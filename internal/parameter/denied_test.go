package parameter

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// guarded is a shelf of which some values may not be read.
type guarded struct {
	shelf
	closed []string

	mu    sync.Mutex // names are asked for in parallel
	calls int
}

func (g *guarded) GetParameters(ctx context.Context, in *ssm.GetParametersInput, o ...func(*ssm.Options)) (*ssm.GetParametersOutput, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls++
	for _, name := range in.Names {
		if slices.Contains(g.closed, name) {
			return nil, &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no"}
		}
	}
	return g.shelf.GetParameters(ctx, in, o...)
}

func TestFindAllowed(t *testing.T) {
	var names []string
	for i := range 60 {
		names = append(names, fmt.Sprintf("/p/%02d", i))
	}
	everything, err := ParsePattern("**")
	if err != nil {
		t.Fatal(err)
	}
	sel := Selection{Pattern: &everything}
	for name, tt := range map[string]struct {
		closed []string
		kind   fault.Kind
		most   int // calls
	}{
		"one of sixty": {names[33:34], fault.RemoteFailed, 20},
		"none":         {names, fault.Auth, 6 + 3*19 + 5},
	} {
		t.Run(name, func(t *testing.T) {
			store := &guarded{shelf: shelf{names: names}, closed: tt.closed}
			got, err := New(store).FindAllowed(t.Context(), sel, true)
			if fault.KindOf(err) != tt.kind || store.calls > tt.most {
				t.Errorf("%v after %d calls", err, store.calls)
			}
			for _, p := range got {
				if (p.Value == "") != slices.Contains(tt.closed, p.Name) {
					t.Errorf("%s has the value %q", p.Name, p.Value)
				}
			}
			if tt.kind == fault.RemoteFailed && len(got) != len(names) {
				t.Errorf("%d parameters, want %d", len(got), len(names))
			}
		})
	}
}
