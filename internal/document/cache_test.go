package document

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestCacheHoldsNoDefaults(t *testing.T) {
	c, now := Cache{Dir: t.TempDir()}, time.Now()
	doc := Document{Name: "restart", Type: "Command", Parameters: []Parameter{{Name: "Password", Default: "hunter2", AllowedValues: []string{"a"}}}}
	if err := c.StoreDocument("k", "", now, doc); err != nil {
		t.Fatal(err)
	}
	got, ok := c.Document("k", "restart", "", now.Add(time.Minute))
	if !ok || got.Type != "Command" || got.Parameters[0].AllowedValues[0] != "a" || got.Parameters[0].Default != "" {
		t.Errorf("%+v, %v", got, ok)
	}
	if doc.Parameters[0].Default != "hunter2" {
		t.Error("the caller's document was changed")
	}
	raw, err := os.ReadFile(c.path("k"))
	if err != nil || strings.Contains(string(raw), "hunter2") {
		t.Errorf("%v: %s", err, raw)
	}
	if info, err := os.Stat(c.path("k")); runtime.GOOS != "windows" && (err != nil || info.Mode().Perm() != 0o600) {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	for name, at := range map[string]time.Time{"too old": now.Add(2 * time.Hour), "of the future": now.Add(-time.Minute)} {
		if _, ok := c.Document("k", "restart", "", at); ok {
			t.Errorf("%s, and still there", name)
		}
	}
	for _, other := range [][3]string{{"k2", "restart", ""}, {"k", "restart", "2"}, {"k", "stop", ""}} {
		if _, ok := c.Document(other[0], other[1], other[2], now); ok {
			t.Errorf("%v is another document", other)
		}
	}
}

func TestCacheOfNames(t *testing.T) {
	c, now := Cache{Dir: t.TempDir()}, time.Now()
	if _, ok := c.Names("k", now); ok {
		t.Error("nothing was stored")
	}
	for i := range cacheDocs + 10 {
		if err := c.StoreDocument("k", "", now.Add(time.Duration(i)*time.Second), Document{Name: fmt.Sprint("doc", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := c.Names("k", now); ok {
		t.Error("documents are no names")
	}
	if err := c.StoreNames("k", now, []CachedName{{"a", "Command"}}); err != nil {
		t.Fatal(err)
	}
	names, ok := c.Names("k", now.Add(9*time.Minute))
	if !ok || len(names) != 1 {
		t.Errorf("%v, %v", names, ok)
	}
	if _, ok := c.Names("k", now.Add(11*time.Minute)); ok {
		t.Error("too old")
	}
	late := now.Add(time.Minute)
	if _, ok := c.Document("k", "doc9", "", late); ok {
		t.Error("the oldest documents stay")
	}
	if _, ok := c.Document("k", "doc59", "", late); !ok {
		t.Error("the newest document is gone")
	}
	if err := os.WriteFile(c.path("k"), []byte("{broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Names("k", now); ok {
		t.Error("a broken file was understood")
	}
}
