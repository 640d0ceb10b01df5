package paramplan

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

var errLost = errors.New("no answer")

// fakeStore keeps the latest versions of parameters, and answers as the service does.
type fakeStore struct {
	mu     sync.Mutex
	have   map[string]parameter.Parameter
	tags   map[string]map[string]string
	puts   map[string]int // by name
	reads  []string       // that were decrypted
	before func(c parameter.Change) error
	after  func(c parameter.Change) error
}

func newStore() *fakeStore {
	return &fakeStore{have: map[string]parameter.Parameter{}, tags: map[string]map[string]string{}, puts: map[string]int{}}
}

func (s *fakeStore) List(_ context.Context, q parameter.Query) iter.Seq2[parameter.Parameter, error] {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []parameter.Parameter
	for _, name := range slices.Sorted(maps.Keys(s.have)) {
		fits := q.Path == "" || Below(q.Path, name)
		fits = fits && (len(q.Names) == 0 || slices.Contains(q.Names, name))
		for k, v := range q.Tags {
			fits = fits && s.tags[name][k] == v
		}
		if fits {
			p := s.have[name]
			p.Value = ""
			out = append(out, p)
		}
	}
	if len(q.Names) > namesAFilter {
		return func(yield func(parameter.Parameter, error) bool) {
			yield(parameter.Parameter{}, errors.New("too many names"))
		}
	}
	return func(yield func(parameter.Parameter, error) bool) {
		for _, p := range out {
			if !yield(p, nil) {
				return
			}
		}
	}
}

func (s *fakeStore) Get(_ context.Context, names []string, decrypt bool) (found []parameter.Parameter, missing []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		p, ok := s.have[name]
		if !ok {
			missing = append(missing, name)
			continue
		}
		if p.Secure() && !decrypt {
			p.Value = ""
		}
		if decrypt {
			s.reads = append(s.reads, name)
		}
		found = append(found, p)
	}
	return found, missing, nil
}

func (s *fakeStore) Put(_ context.Context, c parameter.Change) (parameter.Written, error) {
	if s.before != nil {
		if err := s.before(c); err != nil {
			return parameter.Written{}, err
		}
	}
	w, err := s.put(c)
	if err == nil && s.after != nil {
		err = s.after(c)
	}
	return w, err
}

func (s *fakeStore) put(c parameter.Change) (parameter.Written, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, exists := s.have[c.Name]
	switch {
	case exists && !c.Overwrite:
		return parameter.Written{}, fault.New(fault.Conflict, "", "it exists")
	case exists && old.Type != c.Type:
		return parameter.Written{}, fmt.Errorf("the type of %s cannot be changed", c.Name)
	case exists && len(c.Tags) > 0:
		return parameter.Written{}, errors.New("tags together with overwrite")
	case c.Value == "":
		return parameter.Written{}, errors.New("empty value")
	}
	s.puts[c.Name]++
	p := parameter.Parameter{
		Name: c.Name, Type: c.Type, Value: c.Value, Version: old.Version + 1, Tier: c.Tier, KeyID: c.KeyID, DataType: c.DataType,
		Description: c.Description, AllowedPattern: c.AllowedPattern,
	}
	if p.Tier == "" {
		p.Tier = max(old.Tier, parameter.Standard)
		if old.Tier == parameter.Advanced {
			p.Tier = old.Tier
		}
	}
	if p.DataType == "" {
		p.DataType = "text"
	}
	if c.Policies != "" && !samePolicies(c.Policies, "[]") {
		p.Policies = []parameter.Policy{{Text: c.Policies[1 : len(c.Policies)-1]}}
	}
	if !exists {
		s.tags[c.Name] = maps.Clone(c.Tags)
	}
	s.have[c.Name] = p
	return parameter.Written{Version: p.Version, Tier: p.Tier}, nil
}

func (s *fakeStore) Delete(_ context.Context, names []string) (deleted, missing []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		if _, ok := s.have[name]; !ok {
			missing = append(missing, name)
			continue
		}
		delete(s.have, name)
		deleted = append(deleted, name)
	}
	return deleted, missing, nil
}

func (s *fakeStore) Tag(_ context.Context, name string, tags map[string]string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tags[name] == nil {
		s.tags[name] = map[string]string{}
	}
	maps.Copy(s.tags[name], tags)
	return nil
}

func (s *fakeStore) Tags(_ context.Context, name string) (map[string]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tags := map[string]string{}
	maps.Copy(tags, s.tags[name])
	return tags, nil
}

// set is somebody else who writes.
func (s *fakeStore) set(name, typ, value string) {
	if _, err := s.put(parameter.Change{Name: name, Type: typ, Value: value, Overwrite: true}); err != nil {
		panic(err)
	}
	s.puts[name] = 0
}
