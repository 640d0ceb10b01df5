package history

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func look(at time.Time, nodes, compliant int) Look {
	return Look{Time: at, Account: "123456789012", Region: "us-east-1", Scope: Everything, Nodes: nodes, Compliant: compliant, NonCompliant: nodes - compliant}
}

var day = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func TestLooksComeBackOldestFirst(t *testing.T) {
	s := Store{Dir: filepath.Join(t.TempDir(), "a", "b")}
	if looks, damaged, err := s.Looks(); len(looks) != 0 || damaged != 0 || err != nil {
		t.Fatalf("of nothing: %v, %d, %v", looks, damaged, err)
	}
	second, first := look(day.Add(time.Hour), 9, 4), look(day, 9, 3)
	first.OldestScan, first.Unknown = day.Add(-time.Hour), 1
	for _, l := range []Look{second, first} {
		if err := s.Append(l); err != nil {
			t.Fatal(err)
		}
	}
	looks, damaged, err := s.Looks()
	if err != nil || damaged != 0 || len(looks) != 2 || looks[0] != first || looks[1] != second {
		t.Errorf("got %+v, %d damaged, %v", looks, damaged, err)
	}
	if runtime.GOOS != "windows" {
		info, err := os.Stat(s.path(1))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the file is %v, %v", info.Mode(), err)
		}
	}
}

func TestATornLineCostsNothingElse(t *testing.T) {
	s := Store{Dir: t.TempDir()}
	if err := s.Append(look(day, 9, 4)); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(s.path(1), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(f, "\n{\"time\":\"2026-03-01T09:00:00Z\",\"acc")
	f.Close()
	if err := s.Append(look(day.Add(time.Hour), 9, 5)); err != nil {
		t.Fatal(err)
	}
	looks, damaged, err := s.Looks()
	if err != nil || damaged != 1 || len(looks) != 2 || looks[1].Compliant != 5 {
		t.Errorf("got %+v, %d damaged, %v", looks, damaged, err)
	}
}

func TestDamageIsPassedOver(t *testing.T) {
	for name, data := range map[string]string{
		"no JSON":               "\x00\x00\xff\n",
		"another record":        `{"hello":1}` + "\n",
		"more than all of them": `{"time":"2026-03-01T08:00:00Z","nodes":1,"compliant":2}` + "\n",
		"an endless line":       strings.Repeat("x", 3*maxRecord) + "\n",
		"an endless end":        strings.Repeat("x", 3*maxRecord),
	} {
		t.Run(name, func(t *testing.T) {
			if looks, damaged := parse([]byte(data)); len(looks) != 0 || damaged != 1 {
				t.Errorf("got %+v, %d damaged", looks, damaged)
			}
		})
	}
}

func TestFilesStayBounded(t *testing.T) {
	s := Store{Dir: t.TempDir(), most: 2000}
	for i := range 200 {
		if err := s.Append(look(day.Add(time.Duration(i)*time.Minute), 9, 4)); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(s.Dir)
	if err != nil || len(entries) != 2 {
		t.Fatalf("%d files are left, %v", len(entries), err)
	}
	var size int64
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if size > 2*(2000+maxRecord) {
		t.Errorf("%d bytes are kept", size)
	}
	looks, _, err := s.Looks()
	if err != nil || len(looks) < 5 || !looks[len(looks)-1].Time.Equal(day.Add(199*time.Minute)) {
		t.Errorf("%d looks are left, %v", len(looks), err)
	}
}

func TestManyWritersLoseNothing(t *testing.T) {
	s := Store{Dir: t.TempDir()}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 25 {
				if err := s.Append(look(day.Add(time.Duration(w*100+i)*time.Second), 9, 4)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	looks, damaged, err := s.Looks()
	if err != nil || damaged != 0 || len(looks) != 200 {
		t.Errorf("%d looks, %d damaged, %v", len(looks), damaged, err)
	}
}

func TestTheZeroStoreKeepsNothing(t *testing.T) {
	if err := (Store{}).Append(look(day, 1, 1)); err != nil {
		t.Error(err)
	}
	if looks, _, err := (Store{}).Looks(); len(looks) != 0 || err != nil {
		t.Error(looks, err)
	}
}

func TestScopesHoldNoIDs(t *testing.T) {
	const id, other = "i-0123456789abcdef0", "mi-0123456789abcdef0"
	tests := []struct {
		name          string
		targets, tags []string
		filter, want  string
	}{
		{"everything", nil, nil, " ", Everything},
		{"expressions stay", []string{"web-*&tag:env=prod", "@web"}, []string{"team=a"}, " missing>0   platform=linux ", "web-*&tag:env=prod @web tag:team=a where missing>0 platform=linux"},
		{"ids do not", []string{id + "," + other + "!i-0123abcd"}, nil, "", "i-#57df7329,mi-#d738cb07!i-#04ed656c"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Scope(tt.targets, tt.tags, tt.filter)
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	long := Scope([]string{strings.Repeat("ä", 1000)}, nil, "")
	if len(long) > maxScope || long == Scope([]string{strings.Repeat("ä", 1001)}, nil, "") {
		t.Errorf("a long scope is %q", long)
	}
	if strings.Contains(strings.ToValidUTF8(long, "?"), "?") {
		t.Errorf("it is cut within a character: %q", long)
	}
}

func TestLatest(t *testing.T) {
	var all []Look
	for i := range 5 {
		l := look(day.Add(time.Duration(i)*time.Hour), 10, i)
		if i == 3 {
			l.Region = "eu-west-1"
		}
		all = append(all, l)
	}
	got := Latest(all, 2, all[0].Same)
	if len(got) != 2 || got[0].Compliant != 2 || got[1].Compliant != 4 {
		t.Errorf("got %+v", got)
	}
	if share, any := got[1].Share(); share != 0.4 || !any {
		t.Errorf("share %v, %v", share, any)
	}
	if share, _ := (Look{Nodes: 5, Compliant: 2, Unknown: 1}).Share(); share != 0.5 {
		t.Errorf("of four that could be read two are %v", share)
	}
	if _, any := (Look{}).Share(); any {
		t.Error("no nodes have a share")
	}
}
