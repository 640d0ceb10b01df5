package forwards

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/portforward"
)

func TestSaveKeepsWhatIsThere(t *testing.T) {
	full := Entry{
		Name: "db", Node: "tag:role=bastion", Specs: []portforward.Spec{{Local: 15432, Host: "db.internal", Port: 5432}, {Local: 80, Same: true, Port: 80}},
		Profile: "prod", Region: "eu-west-1", Bind: "::1", Description: "yes: # it's", Reason: "daily", Groups: []string{"a", "b"}, Lanes: 3, Idle: 90 * time.Second,
	}
	small := Entry{Name: "web", Node: "web-1", Specs: []portforward.Spec{{Local: 8080, Port: 80}}, Idle: DefaultIdle}
	for name, before := range map[string]string{
		"no file":       "",
		"an empty list": "forwards:\n",
		"a comment":     "# mine\nforwards:\n  # the first\n  x: {node: n, spec: 0:80} # short\n",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "sub", "forwards.yaml")
			if before != "" {
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for _, e := range []Entry{full, small} {
				if err := Save(path, e, anyNode); err != nil {
					t.Fatal(err)
				}
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Parse(path, data, false, anyNode)
			if err != nil {
				t.Fatal(err)
			}
			got = got[len(got)-2:]
			for i := range got {
				got[i].File, got[i].Line = "", 0
			}
			if !reflect.DeepEqual(got, []Entry{full, small}) {
				t.Errorf("read back as %+v from\n%s", got, data)
			}
			for _, comment := range []string{"# mine", "# the first", "# short"} {
				if strings.Contains(before, comment) && !strings.Contains(string(data), comment) {
					t.Errorf("the comment %q is gone from\n%s", comment, data)
				}
			}
			if err := Save(path, small, anyNode); fault.KindOf(err) != fault.Refused {
				t.Errorf("the same name again: %v", err)
			}
		})
	}
}

func TestSaveLeavesABadFileAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.yaml")
	const bad = "forwards: {a: {}}\n"
	if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
		t.Fatal(err)
	}
	err := Save(path, Entry{Name: "b", Node: "n", Specs: []portforward.Spec{{Port: 1}}}, anyNode)
	if data, _ := os.ReadFile(path); string(data) != bad || fault.KindOf(err) != fault.Usage {
		t.Errorf("got %v, and %q", err, data)
	}
}
