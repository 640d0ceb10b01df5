package fleet

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"testing"
	"time"
)

func TestIndex(t *testing.T) {
	x := Index{Dir: filepath.Join(t.TempDir(), "ssmdeck")}
	key, now := IndexKey{Profile: "../prod", Region: "eu-west-1"}, time.Unix(1_000_000, 0)
	if _, _, ok := x.Load(key, now); ok {
		t.Error("an index that was never made has nodes")
	}
	odd := "tab\there \\t\nline \\"
	nodes := []Node{
		{ID: idB, Name: odd, Ping: Lost},
		{
			ID: idA, Name: "web-1", ComputerName: "ip-10-9-8-7", Ping: Online, Platform: "linux", PlatformName: "Amazon Linux", PlatformVersion: "2023",
			IP: "10.9.8.7", Tags: map[string]string{"team": "shop", "env": odd},
		},
	}
	if err := x.Store(key, now, nodes); err != nil {
		t.Fatal(err)
	}
	want := []IndexedNode{
		{ID: idA, Name: "web-1", ComputerName: "ip-10-9-8-7", Ping: Online, Platform: "linux", PlatformName: "Amazon Linux 2023", IP: "10.9.8.7", Tags: []string{"env=" + odd, "team=shop"}},
		{ID: idB, Name: odd, Ping: Lost, Tags: []string{}},
	}
	if got, age, ok := x.Load(key, now.Add(time.Hour)); !ok || age != time.Hour || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, %v", got, age, ok)
	}
	if nodes[0].ID != idB {
		t.Error("the caller's nodes were sorted")
	}
	for name, miss := range map[string]struct {
		key IndexKey
		now time.Time
	}{
		"too old":         {key, now.Add(indexAge + time.Second)},
		"from the future": {key, now.Add(-time.Second)},
		"another Region":  {IndexKey{Profile: "../prod", Region: "eu-west-2"}, now},
		"another place":   {IndexKey{Profile: "../prod", Region: "eu-west-1", Endpoint: "http://127.0.0.1:1"}, now},
	} {
		if _, _, ok := x.Load(miss.key, miss.now); ok {
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
	if info, err := os.Stat(path); err != nil || (runtime.GOOS != "windows" && info.Mode().Perm() != 0o600) {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	for cut := range len(raw) {
		if err := os.WriteFile(path, raw[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if got, _, ok := x.Load(key, now); ok {
			t.Fatalf("%d of %d bytes were taken for the whole: %v", cut, len(raw), got)
		}
	}
	if err := x.Store(key, now, nil); err != nil {
		t.Fatal(err)
	}
	if got, _, ok := x.Load(key, now); !ok || len(got) != 0 {
		t.Errorf("after an empty list: %v, %v", got, ok)
	}
	if err := (Index{Dir: path}).Store(key, now, nil); err == nil {
		t.Error("a folder that is a file was written to")
	}
}

func FuzzParseIndex(f *testing.F) {
	f.Add(indexMagic + "\t1000\t1\ni-1\tweb\tip\tonline\tlinux\tAmazon Linux\t10.0.0.1\tenv=prod\n")
	f.Add(indexMagic + "\t1000\t0\n")
	f.Add(indexMagic + "\t-1\t99999999\n")
	f.Fuzz(func(t *testing.T, text string) {
		_, nodes, err := parseIndex(text)
		if err == nil && len(nodes) > len(text) {
			t.Errorf("%d nodes out of %d bytes", len(nodes), len(text))
		}
		for _, n := range nodes {
			if n.ID == "" {
				t.Error("a node without an id")
			}
		}
	})
}

func BenchmarkIndex10000(b *testing.B) {
	nodes := make([]Node, 10_000)
	for i := range nodes {
		nodes[i] = Node{
			ID: fmt.Sprintf("i-%017x", i), Name: fmt.Sprintf("web-%d", i), ComputerName: fmt.Sprintf("ip-10-0-%d-%d.ec2.internal", i>>8, i&255),
			Ping: Online, Platform: "linux", PlatformName: "Amazon Linux", PlatformVersion: "2023", IP: fmt.Sprintf("10.0.%d.%d", i>>8, i&255),
			Tags: map[string]string{"env": "prod", "role": "web", "team": "shop"},
		}
	}
	x, key, now := Index{Dir: b.TempDir()}, IndexKey{Region: "eu-west-1"}, time.Now()
	if err := x.Store(key, now, nodes); err != nil {
		b.Fatal(err)
	}
	b.Run("load", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if got, _, ok := x.Load(key, now); !ok || len(got) != len(nodes) {
				b.Fatal(len(got), ok)
			}
		}
	})
	b.Run("store", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := x.Store(key, now, nodes); err != nil {
				b.Fatal(err)
			}
		}
	})
}
