package diskindex

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

func TestOnlyTheUserReadsAFile(t *testing.T) {
	f := Files{Dir: filepath.Join(t.TempDir(), "ssmdeck"), Kind: "things"}
	key := Key{Profile: "../prod", Region: "eu-west-1"}
	if _, ok := f.Read(key); ok {
		t.Error("a file that was never made can be read")
	}
	for _, text := range []string{"one\n", "two\n"} {
		if err := f.Write(key, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, ok := f.Read(key); !ok || got != text {
			t.Errorf("got %q, %v; want %q", got, ok, text)
		}
	}
	if _, ok := f.Read(Key{Profile: "../prod", Region: "eu-west-2"}); ok {
		t.Error("another Region has the same file")
	}
	if _, ok := (Files{Dir: f.Dir, Kind: "others"}).Read(key); ok {
		t.Error("another kind has the same file")
	}
	entries, err := os.ReadDir(f.Dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%d files, %v; want the one", len(entries), err)
	}
	info, err := entries[0].Info()
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	if err := (Files{Dir: filepath.Join(f.Dir, entries[0].Name()), Kind: "things"}).Write(key, nil); err == nil {
		t.Error("a folder that is a file was written to")
	}
}

func TestOneProcessClaimsAList(t *testing.T) {
	f := Files{Dir: filepath.Join(t.TempDir(), "ssmdeck"), Kind: "things"}
	key, now := Key{Region: "eu-west-1"}, time.Now()
	if !f.Claim(key, now) {
		t.Fatal("nobody may claim it")
	}
	if f.Claim(key, now) {
		t.Error("two may claim it at once")
	}
	if !f.Claim(Key{Region: "eu-west-2"}, now) {
		t.Error("one Region keeps another from being claimed")
	}
	if !f.Claim(key, now.Add(Fresh+time.Second)) {
		t.Error("whoever was killed keeps it for good")
	}
	f.Unclaim(key)
	if !f.Claim(key, now) {
		t.Error("the claim was not given back")
	}
}
