package parameter

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/diskindex"
)

func TestIndex(t *testing.T) {
	x := Index{Dir: filepath.Join(t.TempDir(), "ssmdeck")}
	key, now := diskindex.Key{Profile: "../prod", Region: "eu-west-1"}, time.Unix(1_000_000, 0)
	if _, _, ok := x.Load(key, now); ok {
		t.Error("an index that was never made has names")
	}
	if err := x.Store(key, now, []string{"/b", "/a/c", "a\nb", "/b", ""}); err != nil {
		t.Fatal(err)
	}
	if got, age, ok := x.Load(key, now.Add(time.Hour)); !ok || age != time.Hour || !reflect.DeepEqual(got, []string{"/a/c", "/b"}) {
		t.Errorf("got %q, %v, %v", got, age, ok)
	}
	for name, at := range map[string]time.Time{"too old": now.Add(diskindex.Oldest + time.Second), "from the future": now.Add(-time.Second)} {
		if _, _, ok := x.Load(key, at); ok {
			t.Errorf("%s: it was loaded", name)
		}
	}
	entries, err := os.ReadDir(x.Dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%d files, %v; want the one", len(entries), err)
	}
	path := filepath.Join(x.Dir, entries[0].Name())
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(raw) {
		if err := os.WriteFile(path, raw[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if got, _, ok := x.Load(key, now); ok {
			t.Fatalf("%d of %d bytes were taken for the whole: %v", cut, len(raw), got)
		}
	}
}

func TestChildren(t *testing.T) {
	names := []string{"/app", "/app/dev/url", "/app/prod", "/app/prod-eu/url", "/app/prod/db/url", "/app/prod/key", "/web/a", "plain", "team/x"}
	tests := []struct {
		typed string
		want  []Child
	}{
		{"", []Child{{"/app", true, 5}, {"/web", false, 1}, {"plain", true, 0}, {"team", false, 1}}},
		{"/", []Child{{"/app", true, 5}, {"/web", false, 1}}},
		{"/a", []Child{{"/app", true, 5}}},
		{"/app/", []Child{{"/app/dev", false, 1}, {"/app/prod", true, 2}, {"/app/prod-eu", false, 1}}},
		{"/app/prod", []Child{{"/app/prod", true, 2}, {"/app/prod-eu", false, 1}}},
		{"/app/prod/", []Child{{"/app/prod/db", false, 1}, {"/app/prod/key", true, 0}}},
		{"/app/prod/k", []Child{{"/app/prod/key", true, 0}}},
		{"pl", []Child{{"plain", true, 0}}},
		{"/nothing", nil},
	}
	for _, tt := range tests {
		t.Run(tt.typed, func(t *testing.T) {
			if got := Children(names, tt.typed); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}
