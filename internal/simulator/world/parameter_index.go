package world

import (
	"slices"
	"strings"
)

// parameterIndex holds parameters in the order of their places, so that a page
// of them costs no more for many than for few.
type parameterIndex struct {
	byPlace  map[string]*Parameter
	places   []string // sorted
	advanced int      // of the advanced tier
}

func newParameterIndex() *parameterIndex { return &parameterIndex{byPlace: map[string]*Parameter{}} }

// placeOf is where a parameter is in the hierarchy: a name without a slash is one
// at the root, and shares its ARN with the one that begins with a slash.
func placeOf(name string) string {
	if strings.HasPrefix(name, "/") {
		return name
	}
	return "/" + name
}

func (x *parameterIndex) get(name string) (*Parameter, bool) {
	p, ok := x.byPlace[placeOf(name)]
	return p, ok
}

// add adds a parameter that is not there.
func (x *parameterIndex) add(p *Parameter) {
	place := placeOf(p.Name)
	x.byPlace[place] = p
	i, _ := slices.BinarySearch(x.places, place)
	x.places = slices.Insert(x.places, i, place)
}

func (x *parameterIndex) remove(p *Parameter) {
	place := placeOf(p.Name)
	if p.Latest().Tier == tierAdvanced {
		x.advanced--
	}
	delete(x.byPlace, place)
	if i, ok := slices.BinarySearch(x.places, place); ok {
		x.places = slices.Delete(x.places, i, i+1)
	}
}

// walk calls f, until it returns false, for the parameters whose place begins
// with prefix and comes after another, in order. With a flat walk, what is
// further down than the prefix is passed over.
func (x *parameterIndex) walk(prefix, after string, flat bool, f func(place string, p *Parameter) bool) {
	i, found := slices.BinarySearch(x.places, max(prefix, after))
	if found && after >= prefix {
		i++
	}
	for i < len(x.places) && strings.HasPrefix(x.places[i], prefix) {
		place := x.places[i]
		if below := strings.IndexByte(place[len(prefix):], '/'); flat && below >= 0 {
			past := place[:len(prefix)+below] + "0" // the character after the slash
			skip, _ := slices.BinarySearch(x.places[i:], past)
			i += skip
			continue
		}
		if !f(place, x.byPlace[place]) {
			return
		}
		i++
	}
}

// ParameterQuery asks for a page of parameters.
type ParameterQuery struct {
	// Path is what they are below: "/" for all. Flat leaves out what is further
	// down.
	Path string
	Flat bool
	// Names, when not nil, are all that can be meant; Prefix, when not empty, is
	// what their places begin with. Neither goes with Path.
	Names  []string
	Prefix string

	Public bool   // those of AWS, not of the account
	After  string // the place that the page before ended with
	Limit  int
	// Scan is how many parameters are looked at for the page; 0: as many as it
	// takes.
	Scan int
	// Match reports whether a parameter is wanted, and which of its versions. It
	// must neither call the World nor keep its argument. nil: all, the latest.
	Match func(p *Parameter) (v *ParameterVersion, ok bool)
}

// ParameterHit is one version of a parameter.
type ParameterHit struct {
	Name string
	ParameterVersion
}

// FindParameters returns a page, where it ended, and whether there may be more.
func (w *World) FindParameters(q ParameterQuery) (page []ParameterHit, last string, more bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	x := w.params
	if q.Public {
		x = w.publicIndex()
	}
	last, scanned := q.After, 0
	visit := func(place string, p *Parameter) bool {
		if q.Scan > 0 && scanned == q.Scan {
			more = true
			return false
		}
		v, ok := &p.Versions[len(p.Versions)-1], true
		if q.Match != nil {
			v, ok = q.Match(p)
		}
		if ok && len(page) == q.Limit {
			more = true
			return false
		}
		scanned++
		last = place
		if ok {
			page = append(page, ParameterHit{p.Name, *v})
		}
		return true
	}
	switch {
	case q.Names != nil:
		x.visitNamed(q.Names, q.After, visit)
	case q.Prefix != "":
		x.walk(q.Prefix, q.After, false, visit)
	default:
		x.walk(strings.TrimSuffix(q.Path, "/")+"/", q.After, q.Flat, visit)
	}
	return page, last, more
}

// visitNamed is walk for some names.
func (x *parameterIndex) visitNamed(names []string, after string, f func(place string, p *Parameter) bool) {
	var places []string
	for _, name := range names {
		places = append(places, placeOf(name))
	}
	slices.Sort(places)
	for _, place := range slices.Compact(places) {
		if p, ok := x.byPlace[place]; ok && place > after && !f(place, p) {
			return
		}
	}
}
