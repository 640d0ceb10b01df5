package pkgversion

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
)

// fragments are what versions are made of at random.
var fragments = []string{
	"0", "1", "2", "10", "007", "a", "b", "rc", "~", "~rc1", "+", "+b1", ".", ".1", "-", "-1", "ubuntu", "1.0", "git2024", "~~", "Z", "z9", "^", "^1",
}

// randomVersion makes a version of fragments that are allowed.
func randomVersion(r *rand.Rand, allowed func(string) bool) string {
	s := fmt.Sprint(r.IntN(3))
	if r.IntN(4) == 0 {
		s = fmt.Sprintf("%d:%s", r.IntN(3), s)
	}
	for range r.IntN(6) {
		if f := fragments[r.IntN(len(fragments))]; allowed(f) {
			s += f
		}
	}
	if strings.HasSuffix(s, "-") {
		s += "1"
	}
	return s
}

// whole is a version that leaves nothing out.
func whole(s Scheme, text string) Version {
	v := Parse(s, text)
	if v.Epoch == "" {
		v.Epoch = "0"
	}
	if v.Release == "" {
		v.Release = "0"
	}
	return v
}

func TestDebIsAsDpkgSays(t *testing.T) {
	if _, err := exec.LookPath("dpkg"); err != nil {
		t.Skip("there is no dpkg")
	}
	r := rand.New(rand.NewPCG(1, 2))
	var script strings.Builder
	var pairs [][2]string
	for range 150 {
		a := randomVersion(r, func(f string) bool { return !strings.Contains(f, "^") })
		b := randomVersion(r, func(f string) bool { return !strings.Contains(f, "^") })
		if r.IntN(3) == 0 { // that differ in their ends alone
			b = a + []string{"", "0", "~", "a", "+", ".", "1"}[r.IntN(7)]
		}
		pairs = append(pairs, [2]string{a, b})
		fmt.Fprintf(&script, "if dpkg --compare-versions '%s' lt '%s'; then echo -1; elif dpkg --compare-versions '%s' gt '%s'; then echo 1; else echo 0; fi\n", a, b, a, b)
	}
	cmd := exec.Command("sh")
	cmd.Stdin = strings.NewReader(script.String())
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	said := strings.Fields(string(out))
	if len(said) != len(pairs) {
		t.Fatalf("%d answers to %d questions", len(said), len(pairs))
	}
	for i, p := range pairs {
		if got := fmt.Sprint(Compare(Deb, Parse(Deb, p[0]), whole(Deb, p[1]))); got != said[i] {
			t.Errorf("%s and %s: %s, and dpkg says %s", p[0], p[1], got, said[i])
		}
	}
}

// Whatever the versions: what is lower one way is higher the other way, and order has
// no circles.
func TestVersionsHaveAnOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, s := range Schemes() {
		var versions []Version
		for range 60 {
			versions = append(versions, whole(s, randomVersion(r, func(string) bool { return true })))
		}
		for _, a := range versions {
			for _, b := range versions {
				if Compare(s, a, b) != -Compare(s, b, a) {
					t.Fatalf("%s: %s and %s are not the same both ways", s, a, b)
				}
				for _, c := range versions {
					if Compare(s, a, b) < 0 && Compare(s, b, c) <= 0 && Compare(s, a, c) >= 0 {
						t.Fatalf("%s: %s < %s <= %s, and yet %s >= %s", s, a, b, c, a, c)
					}
				}
			}
		}
	}
}
