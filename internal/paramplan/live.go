package paramplan

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

// namesAFilter is how many names one filter of DescribeParameters takes.
const namesAFilter = 50

// Store is Parameter Store in one account and Region; *parameter.Service is one.
type Store interface {
	List(ctx context.Context, q parameter.Query) iter.Seq2[parameter.Parameter, error]
	Get(ctx context.Context, names []string, decrypt bool) (found []parameter.Parameter, missing []string, err error)
	Put(ctx context.Context, c parameter.Change) (parameter.Written, error)
	Delete(ctx context.Context, names []string) (deleted, missing []string, err error)
	Tag(ctx context.Context, name string, tags map[string]string) error
	Tags(ctx context.Context, name string) (map[string]string, error)
}

// Tag is a tag with its value.
type Tag struct{ Key, Value string }

// Live is what is there of the parameters that are compared.
type Live struct {
	Parameters map[string]parameter.Parameter
	// Tagged are the parameters that have a tag, of those tags and parameters that were
	// asked for: the service answers that for 50 parameters in one call, and what tags a
	// parameter has only for one.
	Tagged map[Tag]map[string]bool
	// Unstable says of parameters that changed while they were read that this is so.
	Unstable map[string]string
}

// Look reads what is there of desired, of the other names, and with below of what is
// below that path. Values are read of those parameters whose value shall be another
// one; they are the only SecureStrings that are decrypted.
func Look(ctx context.Context, s Store, desired []Desired, others []string, below string) (Live, error) {
	live := Live{Parameters: map[string]parameter.Parameter{}, Tagged: map[Tag]map[string]bool{}, Unstable: map[string]string{}}
	names := slices.Clone(others)
	tags := map[Tag][]string{}
	for _, d := range desired {
		names = append(names, d.Name)
		for k, v := range d.Tags {
			tags[Tag{k, v}] = append(tags[Tag{k, v}], d.Name)
		}
	}
	slices.Sort(names)
	if err := live.metadata(ctx, s, slices.Compact(names)); err != nil {
		return live, err
	}
	if below != "" {
		wanted := byPlace(names)
		for p, err := range s.List(ctx, parameter.Query{Path: below}) {
			if err != nil {
				return live, err
			}
			live.keep(p, wanted)
		}
	}
	if err := live.values(ctx, s, desired); err != nil {
		return live, err
	}
	return live, live.tags(ctx, s, tags)
}

// metadata reads parameters without their values, 50 a call.
func (l *Live) metadata(ctx context.Context, s Store, names []string) error {
	chunks := slices.Collect(slices.Chunk(names, namesAFilter))
	var mu sync.Mutex
	return awsapi.Parallel(ctx, len(chunks), func(ctx context.Context, i int) error {
		found, err := awsapi.Collect(s.List(ctx, parameter.Query{Names: chunks[i]}))
		asked := byPlace(chunks[i])
		mu.Lock()
		defer mu.Unlock()
		for _, p := range found {
			l.keep(p, asked)
		}
		return err
	})
}

// keep keeps a parameter by the name that it is wanted by, if it is.
func (l *Live) keep(p parameter.Parameter, wanted map[string]string) {
	if name := wanted[parameter.Place(p.Name)]; name != "" {
		p.Name = name
	}
	l.Parameters[p.Name] = p
}

// byPlace has names by their places: the service can list a parameter at the root without
// the slash that it was asked for with, and it must not be taken for another one.
func byPlace(names []string) map[string]string {
	m := make(map[string]string, len(names))
	for _, name := range names {
		m[parameter.Place(name)] = name
	}
	return m
}

// values reads the values that are compared, each of the version whose metadata is
// known.
func (l *Live) values(ctx context.Context, s Store, desired []Desired) error {
	var names []string
	for _, d := range desired {
		if _, there := l.Parameters[d.Name]; there && d.Value != nil {
			names = append(names, d.Name)
		}
	}
	for try := range 2 {
		found, missing, err := s.Get(ctx, names, true)
		if err != nil {
			return err
		}
		for _, name := range missing {
			delete(l.Parameters, name) // since it was listed
		}
		names = names[:0]
		for _, v := range found {
			if l.Parameters[v.Name].Version != v.Version {
				names = append(names, v.Name)
				continue
			}
			l.Parameters[v.Name] = WithValue(l.Parameters[v.Name], v)
		}
		if len(names) == 0 {
			return nil
		}
		if try == 0 {
			if err := l.metadata(ctx, s, names); err != nil {
				return err
			}
		}
	}
	for _, name := range names {
		l.Unstable[name] = "it is being changed by somebody else at this moment"
	}
	return nil
}

// WithValue is a parameter whose metadata is known, with the value of the same version.
func WithValue(p, v parameter.Parameter) parameter.Parameter {
	p.Value, p.Type = v.Value, v.Type
	if v.DataType != "" {
		p.DataType = v.DataType
	}
	return p
}

func (l *Live) tags(ctx context.Context, s Store, tags map[Tag][]string) error {
	type query struct {
		Tag
		names []string
	}
	var queries []query
	for t, names := range tags {
		names = slices.DeleteFunc(names, func(name string) bool { _, there := l.Parameters[name]; return !there })
		for chunk := range slices.Chunk(names, namesAFilter) {
			queries = append(queries, query{t, chunk})
		}
	}
	var mu sync.Mutex
	return awsapi.Parallel(ctx, len(queries), func(ctx context.Context, i int) error {
		q := queries[i]
		found, err := awsapi.Collect(s.List(ctx, parameter.Query{Names: q.names, Tags: map[string]string{q.Key: q.Value}}))
		mu.Lock()
		defer mu.Unlock()
		if l.Tagged[q.Tag] == nil {
			l.Tagged[q.Tag] = map[string]bool{}
		}
		asked := byPlace(q.names)
		for _, p := range found {
			l.Tagged[q.Tag][asked[parameter.Place(p.Name)]] = true
		}
		return err
	})
}

// Complete reads what an action sends again although it does not change it, which Look
// has left alone: values, and the tags of what is replaced.
func (p *Plan) Complete(ctx context.Context, s Store) error {
	missing := map[string]*Action{}
	var names []string
	for _, a := range p.Actions {
		if a.writes() && a.change != nil && a.want.Value == nil && !a.want.Unread && a.change.Value == "" {
			missing[a.Name] = a
			names = append(names, a.Name)
		}
	}
	found, gone, err := s.Get(ctx, names, true)
	if err != nil {
		return err
	}
	for _, v := range found {
		a := missing[v.Name]
		if v.Version != a.Version {
			a.conflict("version %d was looked at, and %d is there now", a.Version, v.Version)
			continue
		}
		a.change.Value = v.Value
	}
	for _, name := range gone {
		missing[name].conflict("it has been deleted since it was looked at")
	}
	for _, a := range p.with(DoReplace) {
		tags, err := s.Tags(ctx, a.Name)
		if err != nil {
			return err
		}
		maps.DeleteFunc(tags, func(k, _ string) bool { return strings.HasPrefix(k, "aws:") }) // only AWS sets those
		maps.Copy(tags, a.want.Tags)
		a.change.Tags = tags
	}
	return nil
}
