package forwards

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

const (
	// fileName is the user's file, beside the configuration.
	fileName = "forwards.yaml"
	// projectName is the file that comes with a repository.
	projectName = ".ssmdeck.yaml"
	// Variable names another file of the user.
	Variable = "SSMDECK_FORWARDS"
	// maxFile bounds what is read.
	maxFile = 1 << 20
)

// Sources says where forwards are read from.
type Sources struct {
	Lookup config.Lookup
	GOOS   string
	File   string // named by --file: it alone is read
	Folder string // where the project's file is looked for, and above
	Check  func(expr string) error
}

// Saved is what the files hold.
type Saved struct {
	Entries []Entry
	Project string   // path of the project's file, if there is one
	Hidden  []string // names of the project's that the user's own file has too
	Path    string   // the user's file, whether it exists or not
}

// Load reads the user's file and the project's. Where both have a name, the
// user's entry holds: a repository must not lead a name that the user knows
// elsewhere. A file that was named and does not exist is NotFound.
func (s *Sources) Load() (Saved, error) {
	var out Saved
	path, named, err := s.path()
	if err != nil {
		return out, err
	}
	out.Path = path
	out.Entries, err = s.read(path, false)
	if err != nil && (named != "" || !absent(err)) {
		if errors.Is(err, fs.ErrNotExist) {
			return out, fault.New(fault.NotFound, "read forwards", "no file %s (named by %s)", path, named)
		}
		return out, err
	}
	if s.File != "" {
		return out, nil
	}
	project := s.project()
	if project == "" {
		return out, nil
	}
	entries, err := s.read(project, true)
	if err != nil {
		return out, err
	}
	out.Project = project
	own := map[string]bool{}
	for i := range out.Entries {
		own[out.Entries[i].Name] = true
	}
	for i := range entries {
		if own[entries[i].Name] {
			out.Hidden = append(out.Hidden, entries[i].Name)
			continue
		}
		out.Entries = append(out.Entries, entries[i])
	}
	return out, nil
}

// path returns the user's file, and by what it was named.
func (s *Sources) path() (path, named string, err error) {
	if s.File != "" {
		return s.File, "--file", nil
	}
	if v, _ := s.Lookup(Variable); v != "" {
		return v, Variable, nil
	}
	usual, err := config.Path(s.Lookup, s.GOOS)
	if err != nil {
		return "", "", fault.New(fault.Usage, "find the file of forwards", "%w", err)
	}
	return filepath.Join(filepath.Dir(usual), fileName), "", nil
}

func (s *Sources) read(path string, project bool) ([]Entry, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, &fault.Error{Kind: fault.Usage, Op: "read forwards", Err: err}
	case !info.Mode().IsRegular():
		return nil, fault.New(fault.Usage, "read forwards", "%s is no regular file", path)
	case info.Size() > maxFile:
		return nil, fault.New(fault.Usage, "read forwards", "%s is larger than %d bytes", path, maxFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, &fault.Error{Kind: fault.Usage, Op: "read forwards", Err: err}
	}
	return Parse(path, data, project, s.Check)
}

func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)
}

// project looks for the project's file from the folder up to the root of the
// repository; outside of one, in the folder alone.
func (s *Sources) project() string {
	if s.Folder == "" {
		return ""
	}
	root := repository(s.Folder)
	for dir := s.Folder; ; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, projectName)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
		if dir == root || dir == filepath.Dir(dir) {
			return ""
		}
	}
}

// repository is the nearest folder above that holds .git, else the folder itself.
func repository(folder string) string {
	for dir := folder; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return folder
		}
	}
}
