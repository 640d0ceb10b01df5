package paramplan

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// maxFile bounds a file of parameters, and one with a value, in bytes.
const maxFile = 16 << 20

// Files are the files that args name, with those below folders that end in .yaml or
// .yml. Names that begin with a dot are left out, links in folders too.
func Files(args []string) ([]Input, error) {
	var list []Input
	seen := map[string]bool{}
	add := func(name, of string) error {
		if seen[filepath.Clean(name)] {
			return nil
		}
		seen[filepath.Clean(name)] = true
		data, err := readFile(name)
		if err != nil {
			return err
		}
		list = append(list, Input{File: name, Path: of, Data: data})
		return nil
	}
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, fault.New(fault.Usage, "read "+arg, "%w", plain(err))
		}
		if !info.IsDir() {
			if err := add(arg, ""); err != nil {
				return nil, err
			}
			continue
		}
		before := len(list)
		err = filepath.WalkDir(arg, func(name string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return fault.New(fault.Usage, "read "+name, "%w", plain(err))
			case name != arg && strings.HasPrefix(e.Name(), "."):
				if e.IsDir() {
					return filepath.SkipDir
				}
				return nil
			case !e.Type().IsRegular() || !slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(name)):
				return nil
			}
			rel, err := filepath.Rel(arg, name)
			if err != nil {
				return err
			}
			return add(name, "/"+filepath.ToSlash(strings.TrimSuffix(rel, filepath.Ext(rel))))
		})
		if err != nil {
			return nil, err
		}
		if len(list) == before {
			return nil, fault.Usagef("there are no .yaml files in %s", arg).WithHint("`ssmdeck param scaffold PATH` writes one of parameters that are there")
		}
	}
	return list, nil
}

// InTree makes of an input what it is in the tree of root, in which a state stands, also
// when a file or a folder of it was named alone. A folder of which the states know nothing
// may be a tree of its own: then the file must say its path.
func (in *Input) InTree(root string) {
	here := "/" + strings.TrimSuffix(in.Label, path.Ext(in.Label))
	folder := strings.TrimPrefix(strings.TrimSuffix(here, in.Path), "/") // that was named
	alone := in.Path
	if in.Path == "" { // a file was
		folder, _, _ = strings.Cut(in.Label, "/")
		alone = "/" + path.Base(here)
	}
	if alone != here && !stateKnows(root, folder+"/") {
		in.Unclear, in.Path = [2]string{alone, here}, ""
		return
	}
	in.Path = here
}

func plain(err error) error {
	if e, ok := err.(*fs.PathError); ok { //nolint:errorlint // os returns it unwrapped
		return e.Err
	}
	return err
}

func readFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, fault.New(fault.Usage, "read "+name, "%w", plain(err))
	case !info.Mode().IsRegular():
		return nil, fault.Usagef("%s is no ordinary file", name)
	case info.Size() > maxFile:
		return nil, fault.Usagef("%s has more than %d bytes", name, maxFile)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fault.New(fault.Usage, "read "+name, "%w", plain(err))
	}
	return data, nil
}

// Beside reads a file that stands beside another one, and is named in it.
func Beside(file string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(file), name)
		}
		return readFile(name)
	}
}
