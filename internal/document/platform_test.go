package document

import (
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
)

func TestCheckPlatforms(t *testing.T) {
	nodes := []fleet.Node{{ID: "i-1", Platform: "linux"}, {ID: "i-2", Platform: "windows"}, {ID: "i-3"}}

	if err := CheckPlatforms(Document{Name: "d"}, nodes); err != nil {
		t.Errorf("a document without platforms: %v", err)
	}
	if err := CheckPlatforms(Document{Name: "d", Platforms: []string{"linux", "windows"}}, nodes); err != nil {
		t.Errorf("all platforms fit: %v", err)
	}
	err := CheckPlatforms(Document{Name: "d", Platforms: []string{"linux"}}, nodes)
	want := "document d runs on linux, not on i-2 (windows)"
	if fault.KindOf(err) != fault.Usage || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}

	var many []fleet.Node
	for range 8 {
		many = append(many, fleet.Node{ID: "i-9", Platform: "macos"})
	}
	if err := CheckPlatforms(Document{Name: "d", Platforms: []string{"linux"}}, many); !strings.HasSuffix(err.Error(), "and 3 more") {
		t.Errorf("got %v, want the rest counted", err)
	}
}
