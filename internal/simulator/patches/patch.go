package patches

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Patch is one release of a package.
type Patch struct {
	Package  *Package
	Seq      int // from 1, in the order of release
	Released time.Time
	Class    string // classification in the words of the system, empty when there is no advisory
	Security bool
	Rank     int // of the severity: 0 critical, 1, 2, 3 low, 4 none
	// Announced patches have an advisory. Without one, only rules that enable
	// updates that are not about security take them.
	Announced bool
	CVEs      []string
}

// Releases returns all patches of a package in the order of time, those to come
// included. They must not be changed.
func (q *Package) Releases() []*Patch {
	q.once.Do(func() {
		if q.Product.style() == kb {
			q.releases = q.windowsReleases()
			return
		}
		for i, f := range upstream(q.source, q.weeks) {
			p := &Patch{Package: q, Seq: i + 1, Security: f.kind == security, Rank: f.rank, Announced: f.kind != unannounced, CVEs: f.cves}
			p.Released = f.date
			if q.Product.lag > 0 {
				p.Released = f.date.Add(time.Duration(hash(q.Product.Name, q.source, i)%(q.Product.lag+1)) * day)
			}
			p.Class = q.Product.class(f.kind)
			q.releases = append(q.releases, p)
		}
		slices.SortStableFunc(q.releases, func(a, b *Patch) int { return a.Released.Compare(b.Released) })
		for i, p := range q.releases {
			p.Seq = i + 1
		}
	})
	return q.releases
}

// Until returns the releases of a package that were out at a time.
func (q *Package) Until(at time.Time) []*Patch {
	all := q.Releases()
	i, _ := slices.BinarySearchFunc(all, at, func(p *Patch, at time.Time) int {
		if p.Released.After(at) {
			return 1
		}
		return -1
	})
	return all[:i]
}

func (p *Product) class(k kind) string {
	if p.style() == mac || p.System == Suse {
		return map[kind]string{security: "Security", bugfix: "Recommended", enhancement: "Recommended"}[k]
	}
	if p.style() == deb && k != security {
		return ""
	}
	return map[kind]string{security: "Security", bugfix: "Bugfix", enhancement: "Enhancement"}[k]
}

// Severity is how bad what a patch mends is, in the words of its system; empty
// where nobody has said.
func (p *Patch) Severity() string {
	words := p.Package.Product.words()
	switch p.Package.Product.style() {
	case deb:
		return words[p.Package.priority]
	case kb:
		return words[p.Rank]
	}
	if !p.Security {
		if !p.Announced {
			return ""
		}
		return words[3]
	}
	return words[p.Rank]
}

// Boots reports whether a patch counts only once the system has started anew.
func (p *Patch) Boots() bool { return p.Package.boot || p.Package.Product.style() == kb }

// Version is the version without the release of the package, on Debian's kin all
// of it.
func (p *Patch) Version() string {
	q := p.Package
	version := q.version
	if strings.Contains(version, "%d") {
		version = fmt.Sprintf(version, p.Seq)
	}
	switch q.Product.style() {
	case deb:
		return fmt.Sprintf("%s%s%d", version, q.Product.release, p.Seq)
	case mac:
		return version
	}
	return version
}

// Release is the release of a package of the RPM kind, empty for others.
func (p *Patch) Release() string {
	if p.Package.Product.style() != rpm {
		return ""
	}
	return fmt.Sprintf("1%s%d", p.Package.Product.release, p.Seq)
}

// Epoch is the epoch of the version.
func (p *Patch) Epoch() int { return p.Package.epoch }

// KB is the number of a patch of Windows, empty for others.
func (p *Patch) KB() string {
	if p.Package.Product.style() != kb {
		return ""
	}
	return p.kbNumber()
}

// Arch is a processor in the words of the package's system: x86_64 or aarch64 are
// amd64 and arm64 on Debian's kin.
func (q *Package) Arch(machine string) string {
	machine = map[bool]string{true: "aarch64", false: "x86_64"}[machine == "arm64" || machine == "aarch64"]
	switch {
	case q.Product.style() == deb && q.noarch:
		return "all"
	case q.Product.style() == deb:
		return map[string]string{"x86_64": "amd64", "aarch64": "arm64"}[machine]
	case q.noarch:
		return "noarch"
	}
	return machine
}

// ID is what the patches of a node call it: the KB number, else name and
// processor.
func (p *Patch) ID(machine string) string {
	switch p.Package.Product.style() {
	case kb:
		return p.kbNumber()
	case mac:
		return p.Package.Name
	}
	return p.Package.Name + "." + p.Package.Arch(machine)
}

// Title is the text that people read.
func (p *Patch) Title(machine string) string {
	q := p.Package
	switch q.Product.style() {
	case kb:
		args := []any{p.Released.Year(), int(p.Released.Month())}
		if strings.Count(q.title, "%") > 2 {
			args = append(args, q.Product.Title)
		}
		return fmt.Sprintf(q.title, args...) + " (" + p.kbNumber() + ")"
	case mac:
		if q.Name == "macOS" {
			return q.Product.Title + " " + p.Version()
		}
		return q.Name + "-" + p.Version()
	case deb:
		return fmt.Sprintf("%s:%d:%s", p.ID(machine), q.epoch, p.Version())
	}
	return fmt.Sprintf("%s:%d:%s-%s", p.ID(machine), q.epoch, p.Version(), p.Release())
}

// Product is the product in the filters of rules.
func (p *Patch) Product() string {
	if p.Package.product != "" {
		return p.Package.product
	}
	return p.Package.Product.Name
}

// Family is the product family.
func (p *Patch) Family() string {
	switch p.Package.product {
	case "SQL Server 2022":
		return "SQL Server"
	case "Office 2016":
		return "Office"
	}
	return p.Package.Product.Family
}

// Set is OS, or APPLICATION for those of Microsoft.
func (p *Patch) Set() string {
	if p.Package.set == "APPLICATION" {
		return p.Package.set
	}
	return "OS"
}

// Section is where Debian's kin files a package.
func (p *Patch) Section() string {
	if p.Package.Product.style() == deb {
		return p.Package.section
	}
	return ""
}

// Advisories are the ids of the notices about a patch.
func (p *Patch) Advisories() []string {
	q := p.Package
	if !p.Announced || q.Product.notices == "" || q.Product.style() == deb && !p.Security {
		return nil
	}
	prefix, number, year := q.Product.notices, 1000+hash("notice", q.source, q.Product.Name, p.Seq)%8999, p.Released.Year()
	if !p.Security {
		prefix = strings.NewReplacer("RHSA", "RHBA", "CESA", "CEBA", "ELSA", "ELBA", "RLSA", "RLBA", "ALSA", "ALBA", "SUSE-SU", "SUSE-RU").Replace(prefix)
	}
	switch prefix {
	case "ALAS", "ALAS2", "ALAS2022", "ALAS2023":
		return []string{fmt.Sprintf("%s-%d-%d", prefix, year, number)}
	case "USN", "DSA", "DLA":
		return []string{fmt.Sprintf("%s-%d-1", prefix, number)}
	case "SUSE-SU", "SUSE-RU":
		return []string{fmt.Sprintf("%s-%d:%d-1", prefix, year, number)}
	}
	return []string{fmt.Sprintf("%s-%d:%d", prefix, year, number)}
}

// Bugs are the numbers of bug reports, on Red Hat's kin.
func (p *Patch) Bugs() []string {
	if !p.Announced || p.Package.Product.notices != "RHSA" {
		return nil
	}
	return []string{fmt.Sprint(2000000 + hash("bug", p.Package.source, p.Seq)%300000)}
}

// Repository is where a patch comes from.
func (p *Patch) Repository() string {
	repo := p.Package.Product.repo
	switch {
	case p.Package.Product.style() == kb:
		return ""
	case p.Package.Product.System == Ubuntu && !p.Security:
		return strings.Replace(repo, "-security", "-updates", 1)
	case !p.Announced && p.Package.Product.style() == rpm:
		return "epel"
	}
	return repo
}

// Key tells a patch from all others.
func (p *Patch) Key() string {
	return fmt.Sprintf("%s/%s/%d", p.Package.Product.Name, p.Package.Name, p.Seq)
}

// Find returns the patch of a key.
func (p *Product) Find(name string, seq int) *Patch {
	q, ok := p.Package(name)
	if !ok || seq < 1 || seq > len(q.Releases()) {
		return nil
	}
	return q.Releases()[seq-1]
}
