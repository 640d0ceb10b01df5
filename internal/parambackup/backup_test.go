package parambackup

import (
	"bytes"
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

func sample() *Backup {
	at := time.Date(2026, 11, 1, 2, 3, 4, 0, time.UTC)
	version := func(n int64, value string, labels ...string) parameter.Parameter {
		return parameter.Parameter{Name: "/a/x", Type: parameter.SecureString, Value: value, Version: n, Labels: labels, Modified: at, KeyID: "alias/k"}
	}
	latest := version(9, "<canary>&\u2028\r\n\x01 ☃\ufeff")
	latest.Tags = map[string]string{"k": "v"}
	latest.Policies = []parameter.Policy{{Type: "Expiration", Text: `{"Type":"Expiration"}`, Status: "Pending"}}
	latest.ARN = "arn:x"
	b := &Backup{Header: Header{Path: "/a", Account: "1", Region: "eu-west-1", History: true, LeftOut: 2}}
	b.Records = []Record{
		NewRecord(latest, []parameter.Parameter{version(8, "\n", "live", "x"), version(9, latest.Value)}),
		NewRecord(parameter.Parameter{Name: "/a/y", Type: parameter.String, Value: "canary\n\n"}, []parameter.Parameter{{Name: "/a/y", Value: "canary\n\n"}}),
	}
	b.index()
	return b
}

func encoded(t *testing.T, b *Backup) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Encode(&out, b); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestABackupIsReadBackAsItWasWritten(t *testing.T) {
	want := sample()
	got, err := Decode(encoded(t, want))
	if err != nil {
		t.Fatal(err)
	}
	want.Format = 1
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	if got.Records[0].ARN != "" || got.Records[0].Policies[0].Status != "" {
		t.Error("what belongs to one place or moment is in the backup")
	}
	tags, _ := got.Tags(context.Background(), "/a/x")
	var versions []int64
	for v, err := range got.History(context.Background(), "/a/x", true) {
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, v.Version)
	}
	if tags["k"] != "v" || !reflect.DeepEqual(versions, []int64{8, 9}) || got.String() != "2 parameters with 3 versions" {
		t.Errorf("%v, %v, %s", tags, versions, got)
	}
	got.Keep(func(name string) bool { return name == "/a/y" })
	for v := range got.History(context.Background(), "/a/y", true) {
		if v.Value != "canary\n\n" {
			t.Errorf("the version of another parameter: %q", v.Value)
		}
	}
	for v := range got.History(context.Background(), "/a/x", true) {
		t.Errorf("a version that was left out: %q", v.Value)
	}
}

func TestARecordHasNoVersionThatIsNewerThanItsParameter(t *testing.T) {
	p := parameter.Parameter{Name: "/a/x", Version: 2, Value: "two"}
	r := NewRecord(p, []parameter.Parameter{{Version: 1, Value: "one"}, {Version: 2, Value: "two"}, {Version: 3, Value: "three"}})
	if n := len(r.Versions); n != 2 || r.Versions[1].Value != p.Value {
		t.Errorf("%d versions: %+v", n, r.Versions)
	}
}

func TestADamagedBackupIsRecognised(t *testing.T) {
	whole := encoded(t, sample())
	for i := range whole {
		if _, err := Decode(whole[:i]); err == nil && i < len(whole)-1 {
			t.Fatalf("the first %d of %d bytes are a backup", i, len(whole))
		}
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	for name, data := range map[string][]byte{
		"a byte was changed":      bytes.Replace(whole, []byte("canary"), []byte("Canary"), 1),
		"a line is missing":       bytes.Join([][]byte{lines[0], lines[2], lines[3]}, nil),
		"two were swapped":        bytes.Join([][]byte{lines[0], lines[2], lines[1], lines[3]}, nil),
		"something was added":     append(bytes.Clone(whole), []byte("{}\n")...),
		"it is something else":    []byte(`{"a": 1}`),
		"it is of a newer kind":   bytes.Replace(whole, []byte(`"ssmdeck_backup":1`), []byte(`"ssmdeck_backup":2`), 1),
		"lines end in CR LF":      bytes.ReplaceAll(whole, []byte("\n"), []byte("\r\n")),
		"there is nothing at all": nil,
	} {
		_, err := Decode(data)
		if err == nil || fault.KindOf(err) != fault.Usage || strings.Contains(err.Error(), "anary") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestASealedBackupOpensWithItsKeyOnly(t *testing.T) {
	plain := encoded(t, sample())
	key := bytes.Repeat([]byte{7}, 64)
	sealed, err := Close(plain, key, "alias/k", []byte("blob"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("canary")) || Sealed(plain) != nil {
		t.Error("the seal leaks, or is seen where there is none")
	}
	if s := Sealed(sealed); s == nil || s.KeyID != "alias/k" || string(s.Key) != "blob" {
		t.Errorf("%+v", s)
	}
	if got, err := Open(sealed, key); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("%v", err)
	}
	other := bytes.Repeat([]byte{8}, 64)
	for name, open := range map[string]func() ([]byte, error){
		"another key": func() ([]byte, error) { return Open(sealed, other) },
		"a changed head": func() ([]byte, error) {
			return Open(bytes.Replace(sealed, []byte("alias/k"), []byte("alias/x"), 1), key)
		},
		"a file that was cut": func() ([]byte, error) { return Open(sealed[:len(sealed)-9], key) },
		"no seal":             func() ([]byte, error) { return Open(plain, key) },
		"a short key":         func() ([]byte, error) { return Open(sealed, key[:16]) },
	} {
		if got, err := open(); err == nil || got != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	var out bytes.Buffer
	if err := Encode(&out, sample()); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := Decode(data)
		if (b == nil) == (err == nil) {
			t.Fatalf("%v, %v", b, err)
		}
		_, _ = Open(data, make([]byte, keyBytes))
	})
}
