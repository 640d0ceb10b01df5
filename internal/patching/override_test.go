package patching

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/logstore"
)

// bucket has one object, or an error for it.
type bucket struct {
	text string
	err  error
}

func (b bucket) ReadObject(_ context.Context, _ logstore.Object, _ func(), emit func([]byte) error) error {
	if b.err != nil {
		return b.err
	}
	half := len(b.text) / 2
	if err := emit([]byte(b.text[:half])); err != nil {
		return err
	}
	return emit([]byte(b.text[half:]))
}

func TestAnOverrideMustFitTheNodes(t *testing.T) {
	nodes := []fleet.Node{
		{ID: "i-1", Name: "web-1", Platform: "linux", PlatformName: "Amazon Linux", PlatformVersion: "2023"},
		{ID: "i-2", Name: "win-1", Platform: "windows", PlatformName: "Microsoft Windows Server 2022 Datacenter"},
		{ID: "i-3", Name: "odd", Platform: "linux", PlatformName: "Plan 9"},
	}
	for name, tt := range map[string]struct {
		in   bucket
		read bool
		want string
	}{
		"all that are known":  {bucket{text: `[{"OperatingSystem":"AMAZON_LINUX_2023"},{"OperatingSystem":"WINDOWS"}]`}, true, ""},
		"none for Windows":    {bucket{text: `[{"OperatingSystem":"AMAZON_LINUX_2023"}]`}, true, "win-1 (i-2), WINDOWS"},
		"no list":             {bucket{text: `{"a":1}`}, false, "no list of patch baselines"},
		"no JSON":             {bucket{text: `hello`}, false, "no list of patch baselines"},
		"not there":           {bucket{err: logstore.ErrMissing}, false, "no such object"},
		"no bucket":           {bucket{err: fault.New(fault.NotFound, "", "the bucket does not exist")}, false, "no such object"},
		"too long":            {bucket{text: strings.Repeat(" ", maxOverride+2)}, false, "longer than"},
		"not ours to be read": {bucket{err: errors.New("AccessDenied")}, false, ""},
	} {
		read, err := CheckOverride(t.Context(), tt.in, Options{BaselineOverride: "s3://b/k.json"}, nodes)
		if read != tt.read || (err == nil) != (tt.want == "") || err != nil && (fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, %v", name, read, err)
		}
	}
}
