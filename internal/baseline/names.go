package baseline

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Patch is what is known of a patch: from the catalogue of available patches, or
// from what a scan of a node has noted. The JSON names are part of the output
// contract.
type Patch struct {
	ID             string    `json:"id"` // KB number, or name and architecture
	Title          string    `json:"title,omitempty"`
	Product        string    `json:"product,omitempty"`
	Family         string    `json:"product_family,omitempty"`
	Classification string    `json:"classification,omitempty"`
	Severity       string    `json:"severity,omitempty"` // MSRC severity, severity, or priority
	Released       time.Time `json:"released,omitzero"`
	CVEs           []string  `json:"cves,omitempty"`
	Advisories     []string  `json:"advisories,omitempty"`
	Bugzilla       []string  `json:"bugzilla,omitempty"`
	Bulletin       string    `json:"bulletin,omitempty"` // of Microsoft: MS10-048
	Name           string    `json:"name,omitempty"`     // of the package
	Epoch          int       `json:"epoch,omitempty"`
	Version        string    `json:"version,omitempty"`
	Release        string    `json:"release,omitempty"`
	Arch           string    `json:"arch,omitempty"`
	Repository     string    `json:"repository,omitempty"`
	URL            string    `json:"url,omitempty"`

	// Partial marks what a scan has noted: what is empty is not known there, while
	// in the catalogue it is not so.
	Partial bool `json:"-"`
}

// FromScan makes a patch of what DescribeInstancePatches says: its id (a KB number,
// or "name.arch") and its title, which for Linux is "name.arch:epoch:version-release".
func FromScan(id, title, classification, severity string, cves []string) Patch {
	p := Patch{ID: id, Title: title, Classification: classification, Severity: severity, CVEs: cves, Partial: true}
	if strings.HasPrefix(id, "KB") {
		return p
	}
	p.Name = id
	if i := strings.LastIndexByte(id, '.'); i > 0 && arches[id[i+1:]] {
		p.Name, p.Arch = id[:i], id[i+1:]
	}
	rest, ok := strings.CutPrefix(title, id+":")
	if !ok {
		return p
	}
	if epoch, version, ok := strings.Cut(rest, ":"); ok {
		if n, err := strconv.Atoi(epoch); err == nil {
			p.Epoch, rest = n, version
		}
	}
	p.Version = rest
	if i := strings.LastIndexByte(rest, '-'); i > 0 {
		p.Version, p.Release = rest[:i], rest[i+1:]
	}
	return p
}

var arches = map[string]bool{
	"x86_64": true, "aarch64": true, "noarch": true, "i686": true, "i386": true, "i586": true, "amd64": true, "arm64": true, "all": true, "armhf": true, "ppc64le": true, "s390x": true,
}

// Key tells one version of a patch from another.
func (p Patch) Key() string {
	if p.Name == "" {
		return p.ID
	}
	return p.Name + "." + p.Arch + ":" + strconv.Itoa(p.Epoch) + ":" + p.Version + "-" + p.Release
}

// MatchID reports whether a word names the patch: its KB number, package, advisory
// or one of its CVEs. Case does not count.
func (p Patch) MatchID(word string) bool {
	same := func(s string) bool { return s != "" && strings.EqualFold(s, word) }
	return same(p.ID) || same(p.Name) || same(p.Bulletin) || same(p.Title) || slices.ContainsFunc(p.CVEs, same) || slices.ContainsFunc(p.Advisories, same) || strings.HasPrefix(word, p.ID+":") && same(p.Key())
}

// packageNames are the ways in which a list may write a package (User Guide,
// "Package name formats for approved and rejected patch lists").
func (p Patch) packageNames(f family) []string {
	if p.Name == "" {
		return nil
	}
	if f == deb {
		return []string{p.Name}
	}
	names := []string{p.Name}
	if p.Arch != "" {
		names = append(names, p.Name+"."+p.Arch)
	}
	if p.Version == "" {
		return names
	}
	e := strconv.Itoa(p.Epoch)
	names = append(names, p.Name+"-"+p.Version, p.Version)
	if p.Release == "" {
		return names
	}
	vr := p.Version + "-" + p.Release
	full := p.Name + "-" + vr
	names = append(names, full, vr, e+":"+vr, p.Name+"-"+e+":"+vr)
	if p.Arch != "" {
		names = append(names, full+"."+p.Arch, p.Name+"-"+e+":"+vr+"."+p.Arch, e+":"+full+"."+p.Arch, p.Name+"."+p.Arch+":"+e+":"+vr)
		if f == zypper {
			names = append(names, full+"."+p.Arch+".rpm")
		}
	}
	return names
}

// listed returns the entry of a list that names the patch, empty when none does.
// Lists of approved patches take CVEs, advisories and Bugzilla ids of Linux with
// YUM and DNF as well.
func listed(entries []string, p Patch, f family, approved bool) string {
	var names []string
	switch f {
	case windows:
		names = []string{p.ID, p.Bulletin}
	case rpm:
		names = p.packageNames(f)
		if approved {
			names = slices.Concat(names, p.CVEs, p.Advisories, p.Bugzilla)
		}
	case zypper:
		names = slices.Concat(p.packageNames(f), []string{p.ID, p.Title}, p.Advisories)
	case deb, mac:
		names = append(p.packageNames(f), p.ID)
	}
	for _, entry := range entries {
		for _, name := range names {
			if name != "" && matchName(entry, name, f == windows) {
				return entry
			}
		}
	}
	return ""
}

// matchName compares an entry of a list, in which * stands for any characters.
func matchName(entry, name string, anyCase bool) bool {
	if anyCase {
		return strings.EqualFold(entry, name)
	}
	if !strings.Contains(entry, "*") {
		return entry == name
	}
	// path.Match would stop at slashes and understand [ ] and ?; names have none.
	ok, err := path.Match(literal.Replace(entry), literal.Replace(name))
	return err == nil && ok
}

var literal = strings.NewReplacer("/", "\x00", "[", "\x01", "]", "\x02", "?", "\x03", `\`, "\x04")
