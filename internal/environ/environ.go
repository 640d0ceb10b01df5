// Package environ makes the environment of a program out of one that is there and
// variables that are added, and checks it against the limits of the system before the
// program starts.
package environ

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// Variable is one that is added. From says where its value is from, for messages.
type Variable struct{ Name, Value, From string }

// Options say how the two meet.
type Options struct {
	Pristine bool     // nothing of the old environment but Keep
	Keep     []string // names, also with * and ? as in paths
	// NoOverride leaves variables of the old environment as they are; Strict makes it
	// an error that one would be replaced.
	NoOverride, Strict bool
	// LaterWins lets the last of several variables of one name win; without it that is
	// an error.
	LaterWins bool
	// FoldCase is set where names are the same in upper and lower case, as on Windows.
	FoldCase bool
}

// Result is an environment.
type Result struct {
	Environ  []string // NAME=VALUE
	Added    []Variable
	Replaced []string // variables of the old environment that have a new value
	Ignored  []string // variables that were not added, with NoOverride
}

var variableName = pattern.Lazy(`^[A-Za-z_][A-Za-z0-9_]*$`)

// CheckName refuses what cannot be the name of a variable in a shell.
func CheckName(name string) error {
	if !variableName().MatchString(name) {
		return fmt.Errorf("%q is no name of a variable: letters, digits and _, and no digit first", name)
	}
	return nil
}

// Merge puts variables into old, which is a list of NAME=VALUE. All faults are Usage
// errors, joined; they never hold a value.
func Merge(old []string, variables []Variable, o Options) (Result, error) {
	key := func(name string) string {
		if o.FoldCase {
			return strings.ToUpper(name)
		}
		return name
	}
	var (
		r    Result
		errs []error
		have = map[string]int{} // by key: the place in r.Environ
	)
	for _, kv := range old {
		name, value, ok := strings.Cut(kv, "=")
		if ok && name == "" { // Windows: =C:=C:\dir
			name, value, ok = strings.Cut(kv[1:], "=")
			name = "=" + name
		}
		if !ok || o.Pristine && !matches(o.Keep, name, key) {
			continue
		}
		have[key(name)] = len(r.Environ)
		r.Environ = append(r.Environ, name+"="+value)
	}
	chosen := map[string]Variable{}
	var order []string
	for _, v := range variables {
		if err := check(v); err != nil {
			errs = append(errs, err)
			continue
		}
		k := key(v.Name)
		if first, twice := chosen[k]; !twice {
			order = append(order, k)
		} else if !o.LaterWins && first.From != v.From {
			errs = append(errs, fault.Usagef("%s and %s both are the variable %s", first.From, v.From, v.Name).
				WithHint("give one of them another name with --env NAME=PARAMETER, or let the later one win with --later-wins"))
			continue
		}
		chosen[k] = v
	}
	for _, k := range order {
		v := chosen[k]
		at, there := have[k]
		switch {
		case there && o.Strict:
			errs = append(errs, fault.Usagef("%s would replace the variable %s of the environment", v.From, v.Name).
				WithHint("unset it, or leave out --strict"))
		case there && o.NoOverride:
			r.Ignored = append(r.Ignored, v.Name)
		case there:
			if line := v.Name + "=" + v.Value; r.Environ[at] != line {
				r.Replaced = append(r.Replaced, v.Name)
				r.Environ[at] = line
			}
			r.Added = append(r.Added, v)
		default:
			have[k] = len(r.Environ)
			r.Environ = append(r.Environ, v.Name+"="+v.Value)
			r.Added = append(r.Added, v)
		}
	}
	return r, errors.Join(errs...)
}

func matches(globs []string, name string, key func(string) string) bool {
	return slices.ContainsFunc(globs, func(g string) bool {
		ok, err := path.Match(key(g), key(name))
		return err == nil && ok
	})
}

func check(v Variable) error {
	if err := CheckName(v.Name); err != nil {
		return fault.Usagef("%s: %w", v.From, err).WithHint("choose a name with --env NAME=PARAMETER")
	}
	if strings.ContainsRune(v.Value, 0) {
		return fault.Usagef("%s: the value has a NUL byte, which no variable of an environment can hold", v.From).
			WithHint("write it to a file: ssmdeck param get NAME --decrypt > FILE")
	}
	return nil
}

// Limits are what a system takes, in bytes with what it adds; 0 is no limit.
type Limits struct {
	String int // of one NAME=VALUE or argument, with the NUL byte behind it
	Total  int // of all of them, and their pointers
	// Units is set where String counts units of UTF-16, as on Windows.
	Units bool
}

// Check refuses an environment and arguments that are too long. The message names the
// longest variables of those that were added.
func (r Result) Check(argv []string, l Limits) error {
	total := 0
	for _, s := range slices.Concat(argv, r.Environ) {
		total += len(s) + 1 + 8 // with its pointer
	}
	var errs []error
	for _, v := range r.Added {
		n := len(v.Name) + 1 + len(v.Value) + 1
		if l.Units {
			n = units(v.Name) + units(v.Value) + 2
		}
		if l.String > 0 && n > l.String {
			errs = append(errs, fault.Usagef("%s: the variable %s has %d bytes, and the system takes %d of one", v.From, v.Name, n, l.String).
				WithHint("write it to a file: ssmdeck param get NAME --decrypt > FILE"))
		}
	}
	if len(errs) == 0 && l.Total > 0 && total > l.Total {
		longest := slices.SortedFunc(slices.Values(r.Added), func(a, b Variable) int {
			return cmp.Or(len(b.Value)-len(a.Value), strings.Compare(a.Name, b.Name))
		})
		var names []string
		for _, v := range longest[:min(3, len(longest))] {
			names = append(names, fmt.Sprintf("%s (%d)", v.Name, len(v.Value)))
		}
		errs = append(errs, fault.Usagef("the environment and the arguments have %d bytes, and the system takes %d; the longest that are added: %s",
			total, l.Total, strings.Join(names, ", ")).WithHint("name a narrower path, or start from an empty environment with --pristine"))
	}
	return errors.Join(errs...)
}

func units(s string) (n int) {
	for _, r := range s {
		n++
		if r > 0xffff {
			n++
		}
	}
	return n
}
