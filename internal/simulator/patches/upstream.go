package patches

import (
	"fmt"
	"hash/fnv"
	"slices"
	"sync"
	"time"
)

// The time for which there are patches.
var (
	firstDay = time.Date(2022, 1, 3, 15, 0, 0, 0, time.UTC) // a Monday
	lastDay  = time.Date(2035, 1, 1, 0, 0, 0, 0, time.UTC)
)

const day = 24 * time.Hour

// kind is what a fix is for.
type kind int

const (
	security kind = iota
	bugfix
	enhancement
	unannounced // without an advisory, as in repositories of third parties
)

// fix is a release of the maker of some software.
type fix struct {
	date time.Time
	kind kind
	rank int // 0 is critical, 3 is low
	cves []string
}

// famous are vulnerabilities that everybody talks about: one of them each year, in
// software that several systems have.
var famous = []struct {
	source     string
	month, day int
	number     string
}{
	{"sudo", 1, 26, "3156"},
	{"kernel", 2, 1, "1086"},
	{"openssl", 3, 14, "0286"},
	{"xz", 3, 29, "3094"},
	{"openssh", 7, 1, "6387"},
	{"curl", 8, 9, "38545"},
	{"glibc", 10, 3, "4911"},
	{"openssl", 11, 1, "3602"},
}

// hash is a stable number made from texts.
func hash(parts ...any) int {
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, parts...)
	v := h.Sum64()
	v ^= v >> 33 // the low bits of FNV depend on the end of the text most
	v *= 0xff51afd7ed558ccd
	v ^= v >> 33
	return int(v >> 2)
}

var upstreams = struct {
	sync.Mutex
	of map[string][]fix
}{of: map[string][]fix{}}

// upstream returns what the maker of a package releases, every so many weeks, in
// the order of time.
func upstream(source string, weeks int) []fix {
	upstreams.Lock()
	defer upstreams.Unlock()
	if list, ok := upstreams.of[source]; ok {
		return list
	}
	var list []fix
	at := firstDay.Add(time.Duration(hash(source)%(weeks*7)) * day)
	for i := 0; at.Before(lastDay); i++ {
		f := fix{date: at.Add(time.Duration(hash(source, i)%5) * day)}
		switch n := hash(source, "kind", i) % 100; {
		case n < 45:
			f.kind, f.rank = security, rankOf(hash(source, "rank", i)%100)
			for k := range 1 + hash(source, "cves", i)%3 {
				f.cves = append(f.cves, fmt.Sprintf("CVE-%d-%d", f.date.Year(), 20000+hash(source, "cve", i, k)%30000))
			}
		case n < 80:
			f.kind, f.rank = bugfix, 2
		case n < 92:
			f.kind, f.rank = enhancement, 3
		default:
			f.kind, f.rank = unannounced, 3
		}
		list = append(list, f)
		at = at.Add(time.Duration(weeks*7) * day)
	}
	for year := firstDay.Year(); year < lastDay.Year(); year++ {
		for _, v := range famous {
			if v.source == source {
				date := time.Date(year, time.Month(v.month), v.day, 15, 0, 0, 0, time.UTC)
				list = append(list, fix{date: date, kind: security, cves: []string{fmt.Sprintf("CVE-%d-%s", year, v.number)}})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b fix) int { return a.date.Compare(b.date) })
	upstreams.of[source] = list
	return list
}

// rankOf deals out the severities of security fixes.
func rankOf(n int) int {
	switch {
	case n < 10:
		return 0
	case n < 40:
		return 1
	case n < 80:
		return 2
	}
	return 3
}
