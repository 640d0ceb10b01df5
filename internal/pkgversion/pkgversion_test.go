package pkgversion

import (
	"strings"
	"testing"
)

// The cases of rpm's own test suite (rpmvercmp.at), of deb-version(7) and dpkg's
// tests, and of semver.org, as their documents state them.
func TestCompare(t *testing.T) {
	for _, c := range []struct {
		scheme Scheme
		order  string // each lower than the next
	}{
		{RPM, "1.0 < 2.0"},
		{RPM, "2.0 < 2.0.1"},
		{RPM, "2.0.1 < 2.0.1a"},
		{RPM, "5.5p1 < 5.5p2 < 5.5p10"},
		{RPM, "xyz10 < xyz10.1"},
		{RPM, "10xyz < 10.1xyz"},
		{RPM, "xyz.4 < 8 < 8.1"},
		{RPM, "5.5p2 < 5.6p1 < 6.5p1"},
		{RPM, "6.0 < 6.0.rc1"},
		{RPM, "10a2 < 10b2"},
		{RPM, "1.0~rc1~git123 < 1.0~rc1 < 1.0~rc2 < 1.0 < 1.0^ < 1.0^git1 < 1.0^git2 < 1.01^git1"},
		{RPM, "1.0~rc1 < 1.0~rc1^git1 < 1.0"},
		{RPM, "1.0^git1~pre < 1.0^git1 < 1.0.1"},
		{RPM, "1:1.0-1 < 2:0.5-1"},
		{RPM, "1.0.2k-9.amzn2 < 1.0.2k-19.amzn2"},
		{RPM, "3.0.7-24.el9 < 3.0.7-25.el9_3 < 3.1.0-1.el9"},
		{Deb, "1.0~beta1~svn1245 < 1.0~beta1 < 1.0~rc1 < 1.0 < 1.0a < 1.0+b1 < 1.1"},
		{Deb, "~~ < ~~a < ~"},
		{Deb, "1.2.3-1 < 1.2.3-1ubuntu1 < 1.2.3-1ubuntu2 < 1.2.3-1ubuntu10 < 1.2.3-2"},
		{Deb, "3.0.2-0ubuntu1.9 < 3.0.2-0ubuntu1.10"},
		{Deb, "9.9-1 < 1:1.0-1"},
		{Deb, "7.4p1-10+deb9u7 < 7.9p1-10+deb10u2"},
		{Deb, "2.0 < 2.0-1"},
		{Semver, "1.0.0-alpha < 1.0.0-alpha.1 < 1.0.0-alpha.beta < 1.0.0-beta < 1.0.0-beta.2 < 1.0.0-beta.11 < 1.0.0-rc.1 < 1.0.0"},
		{Semver, "1.0.0 < 2.0.0 < 2.1.0 < v2.1.1 < 2.10.0"},
		{Windows, "9.0 < 10 < 10.0.19045.1 < 10.0.19045.3693"},
		{Windows, "119.0.6045.160 < 120.0"},
	} {
		list := strings.Split(c.order, " < ")
		for i := range list {
			for j := range list {
				want := 0
				switch {
				case i < j:
					want = -1
				case i > j:
					want = 1
				}
				a, b := Parse(c.scheme, list[i]), Parse(c.scheme, list[j])
				if b.Epoch == "" && a.Epoch != "" || b.Release == "" && a.Release != "" {
					continue // what is not asked about is not compared: below
				}
				if got := Compare(c.scheme, a, b); got != want {
					t.Errorf("%s: %s to %s: %d, want %d", c.scheme, list[i], list[j], got, want)
				}
			}
		}
	}
	for _, c := range []struct {
		scheme Scheme
		have   string
		want   string
	}{
		{RPM, "1.0010", "1.010"},
		{RPM, "2_0", "2.0"},
		{RPM, "1:3.0.2-7.el9", "3.0.2"},
		{RPM, "1:3.0.2-7.el9", "3.0.2-7.el9"},
		{RPM, "3.0.2-7", "0:3.0.2"},
		{Deb, "1:2.0-1", "2.0"},
		{Deb, "2.00", "2.0"},
		{Semver, "1.2.3+build.5", "v1.2.3"},
		{Semver, "1.2", "1.2.0"},
		{Windows, "10.0.0.0", "10"},
	} {
		if got := Compare(c.scheme, Parse(c.scheme, c.have), Parse(c.scheme, c.want)); got != 0 {
			t.Errorf("%s: %s to %s: %d, want 0", c.scheme, c.have, c.want, got)
		}
	}
}

func TestVersionsAreWrittenAsTheyWereRead(t *testing.T) {
	for _, s := range []string{"1:2.3-4", "2.3", "2.3-4.el9", "0:1"} {
		if got := Parse(RPM, s).String(); got != s {
			t.Errorf("%q became %q", s, got)
		}
	}
	if v := Parse(Windows, "1:2-3"); v.Upstream != "1:2-3" {
		t.Errorf("a Windows version was taken apart: %+v", v)
	}
}

// FuzzCompare holds the comparison to what an order must be, for any texts.
func FuzzCompare(f *testing.F) {
	for _, s := range []string{"1.0~rc1", "1.0^git1", "1:2-3", "", "a1b2", "~", "^", "1..2", "v1.0.0-rc.1+x"} {
		f.Add(s, "1.0", "2-1")
	}
	f.Fuzz(func(t *testing.T, x, y, z string) {
		for _, s := range Schemes() {
			whole := func(text string) Version {
				v := Parse(s, text)
				v.Epoch, v.Release = "0"+v.Epoch, "0"+v.Release // all parts are asked about
				return v
			}
			a, b, c := whole(x), whole(y), whole(z)
			if Compare(s, a, a) != 0 {
				t.Fatalf("%s: %q is not itself", s, x)
			}
			if Compare(s, a, b) != -Compare(s, b, a) {
				t.Fatalf("%s: %q and %q are in no order", s, x, y)
			}
			if s == Deb && Compare(s, a, b) <= 0 && Compare(s, b, c) <= 0 && Compare(s, a, c) > 0 {
				t.Fatalf("%s: %q, %q, %q go in a circle", s, x, y, z)
			}
		}
	})
}
