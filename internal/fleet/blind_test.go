package fleet

import (
	"strings"
	"testing"

	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// A role that may open sessions and not describe nodes is common, and so are
// emulators that know one and not the other.
func TestIdsPassWhereNothingCanBeLookedUp(t *testing.T) {
	blind := func(t *testing.T) *Service {
		s, m := mocked(t)
		m.DescribeInstanceProperties(gomock.Any(), gomock.Any()).AnyTimes().Return(nil, failure("AccessDeniedException"))
		m.DescribeInstanceInformation(gomock.Any(), gomock.Any()).AnyTimes().Return(nil, failure("UnknownOperationException"))
		return s
	}
	t.Run("for a session", func(t *testing.T) {
		n, err := blind(t).Resolve(t.Context(), idA)
		if err != nil || n.ID != idA || n.Ping != "" || n.Platform != "" {
			t.Errorf("got %+v, %v", n, err)
		}
	})
	t.Run("for a command", func(t *testing.T) {
		sel, err := blind(t).Select(t.Context(), target(t, idA, idB), Filter{})
		if err != nil || strings.Join(sel.InstanceIDs, " ") != idA+" "+idB || !strings.Contains(sel.Note, "cannot be looked up") {
			t.Errorf("got %+v, %v", sel, err)
		}
	})
	t.Run("names do not", func(t *testing.T) {
		if _, err := blind(t).Resolve(t.Context(), "web-1"); err == nil {
			t.Error("a name was taken for a node")
		}
		if _, err := blind(t).Select(t.Context(), target(t, idA, "web-1"), Filter{}); err == nil {
			t.Error("a name was taken for a node")
		}
	})
	t.Run("nor does an id under a filter", func(t *testing.T) {
		f, err := ParseFilter("ping=online")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := blind(t).Select(t.Context(), target(t, idA), f); err == nil {
			t.Error("a filter was ignored")
		}
	})
	t.Run("nor when the service is unwell", func(t *testing.T) {
		s, m := mocked(t)
		m.DescribeInstanceProperties(gomock.Any(), gomock.Any()).Return(nil, failure("ExpiredTokenException"))
		if _, err := s.Resolve(t.Context(), idA); fault.KindOf(err) != fault.Auth {
			t.Errorf("got %v, want expired credentials", err)
		}
	})
}
