package paramfile

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

// item is a parameter that is written: name is relative to the root, key what a flat
// format calls it.
type item struct {
	*parameter.Parameter
	name, key string
}

// EnvName is the variable of a parameter by its relative name: db-url and db/url are
// both DB_URL. It begins with no digit.
func EnvName(name string) string { return strings.ToUpper(keyOf(name, '_', "_")) }

// keyOf puts instead in the place of every character of a name that is no letter,
// digit, underscore, or one of also.
func keyOf(name string, instead rune, also string) string {
	key := strings.Map(func(r rune) rune {
		if r == '_' || r < utf8.RuneSelf && alphanumeric(byte(r)) || strings.ContainsRune(also, r) {
			return r
		}
		return instead
	}, strings.TrimPrefix(name, "/"))
	if key == "" || key[0] >= '0' && key[0] <= '9' && !strings.Contains(also, "0") {
		key = "_" + key
	}
	return key
}

func alphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// key is what a flat format calls a parameter.
func (f Format) key(name string, keys Keys) string {
	switch {
	case keys == KeysUpper:
		return EnvName(name)
	case f == K8s || f == Properties:
		return keyOf(name, '.', ".-0") // the 0: they may begin with a digit
	default:
		return keyOf(name, '_', "")
	}
}

// Relative is a name below a path without the path; the whole name when root is empty
// or "/". It is an error when the name is not below root.
func Relative(root, name string) (string, error) {
	root = strings.TrimSuffix(root, "/")
	if root == "" {
		return name, nil
	}
	if rest, ok := strings.CutPrefix(name, root+"/"); ok && rest != "" {
		return rest, nil
	}
	return "", fmt.Errorf("%s is not below %s", name, root)
}

// Join is the inverse of Relative: the whole name of what a file calls name.
func Join(root, name string) (string, error) {
	root = strings.TrimSuffix(root, "/")
	switch {
	case name == "":
		return "", errors.New("a parameter has no name")
	case strings.HasPrefix(name, "/") && root != "":
		if _, err := Relative(root, name); err != nil {
			return "", err
		}
		return name, nil
	case root != "":
		return root + "/" + name, nil
	case strings.Contains(name, "/") && !strings.HasPrefix(name, "/"):
		return "/" + name, nil // a name with levels begins with one
	}
	return name, nil
}

// items checks that a format has room for every parameter, and names them.
func (c codec) items(f Format, list []parameter.Parameter, o Options) ([]item, error) {
	keys := o.Keys
	if keys == KeysAuto {
		keys = c.keys
	}
	var faults []error
	hint := ""
	out := make([]item, 0, len(list))
	taken := map[string]string{}
	for i := range list {
		p := &list[i]
		name, err := Relative(o.Root, p.Name)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		it := item{Parameter: p, name: name, key: name}
		if c.flat {
			it.key = f.key(name, keys)
		}
		switch other, twice := taken[it.key]; {
		case twice && c.flat && other != p.Name:
			faults = append(faults, fmt.Errorf("%s and %s are both %s in a file of format %s", other, p.Name, it.key, f))
			hint = "export their paths by themselves, or choose json, yaml or csv"
		case twice:
			faults = append(faults, fmt.Errorf("%s is there twice", p.Name))
		case !utf8.ValidString(p.Value):
			faults = append(faults, fmt.Errorf("the value of %s is no text", p.Name))
		case !c.nul && strings.ContainsRune(p.Value, 0):
			faults = append(faults, fmt.Errorf("the value of %s has a NUL character, which format %s cannot write", p.Name, f))
			hint = "json, yaml, csv and k8s can"
		}
		taken[it.key] = p.Name
		out = append(out, it)
	}
	if len(faults) > 0 {
		return nil, &fault.Error{Kind: fault.Usage, Err: errors.Join(faults...), Hint: hint}
	}
	return out, nil
}

// rename is what becomes of a key of which the file does not say the name.
func (n NameCase) rename(key string) string {
	switch n {
	case NamesLower:
		return strings.ToLower(key)
	case NamesKebab:
		return strings.ReplaceAll(strings.ToLower(key), "_", "-")
	default:
		return key
	}
}
