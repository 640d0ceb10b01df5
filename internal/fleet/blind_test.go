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

// Where names, types and roles cannot be read, they are not taken to be different
// from what a filter leaves out.
func TestFiltersOnWhatIsNotKnown(t *testing.T) {
	for _, text := range []string{"name!=web-1", "instance_type!=m5.large", "role!=admin", "name~^web"} {
		f, err := ParseFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		denied := func(t *testing.T) *Service {
			s, m := mocked(t)
			m.DescribeInstanceProperties(gomock.Any(), gomock.Any()).AnyTimes().Return(nil, failure("AccessDeniedException"))
			m.DescribeInstanceInformation(gomock.Any(), gomock.Any()).AnyTimes().Return(informations("", information(idA, "ip-10-0-0-1")), nil)
			return s.Joining(&cloud{err: failure("UnauthorizedOperation")}, Clients{})
		}
		for _, expr := range []string{"all", "tag:env=prod"} {
			if sel, err := denied(t).Select(t.Context(), target(t, expr), f); fault.KindOf(err) != fault.Auth || fault.HintOf(err) == "" {
				t.Errorf("%s, %s: chose %v, %v", expr, text, sel.InstanceIDs, err)
			}
		}
		if nodes, _, err := denied(t).Table(t.Context(), Query{Filter: f}, 0); fault.KindOf(err) != fault.Auth {
			t.Errorf("%s: listed %v, %v", text, nodes, err)
		}
	}
	s, m := mocked(t)
	m.DescribeInstanceProperties(gomock.Any(), gomock.Any()).Return(nil, failure("AccessDeniedException"))
	m.DescribeInstanceInformation(gomock.Any(), gomock.Any()).Return(informations("", information(idA, "web-1")), nil)
	sel, err := s.Joining(&cloud{err: failure("UnauthorizedOperation")}, Clients{}).Select(t.Context(), target(t, "web-*"), Filter{})
	if err != nil || !strings.Contains(sel.Note, "computer names") {
		t.Errorf("note %q, %v", sel.Note, err)
	}
}

// A lookup of names that breaks off must not leave a pattern with half of its nodes.
func TestNamesThatBreakOffAreAnError(t *testing.T) {
	s, m := mocked(t)
	m.DescribeInstanceInformation(gomock.Any(), gomock.Any()).Return(informations("", information(idA, "ip-10-0-0-1")), nil)
	m.DescribeInstanceProperties(gomock.Any(), gomock.Any()).Return(nil, failure("ThrottlingException"))
	if sel, err := s.Select(t.Context(), target(t, "tag:env=prod", "ip-*"), Filter{}); fault.KindOf(err) != fault.Throttled {
		t.Errorf("chose %v, %v", sel.InstanceIDs, err)
	}
}
