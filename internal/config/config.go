// Package config resolves the settings of one run of ssmdeck and remembers
// where each came from.
//
// The order, strongest first: a flag, an SSMDECK_* variable, the chosen context
// of the configuration file, the file's defaults, the built-in default. One
// setting is different on purpose: read-only holds when any source asks for it,
// and no source can lift it.
//
// What belongs to AWS (profiles, SSO, credentials, endpoints of other services)
// is the SDK's business and is not read here; an empty Profile or Region means
// "as the SDK finds it". The file holds no secrets. The package reads no
// environment of its own: the caller passes a lookup function.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Lookup finds an environment variable; os.LookupEnv is one. A variable that is
// set but empty counts as not set.
type Lookup = func(name string) (value string, ok bool)

// Settings are the resolved values. An empty text means that nobody chose.
type Settings struct {
	File     string   // the configuration file read; empty when there is none
	Contexts []string // the names of the contexts in the file, sorted

	Context     string
	Profile     string // of the shared AWS configuration
	Region      string
	RoleARN     string // role to assume on top of the profile
	Regions     string // of lists over several: names with commas, or all
	Accounts    string // of lists over several: ids, ou:ID, org, with commas
	Role        string // assumed in each of Accounts: a name or an ARN
	ExternalID  string // given when Role is assumed
	EndpointURL string // of Systems Manager: the simulator, a VPC endpoint
	Output      string // a name render.ParseFormat knows
	Theme       string // the name of a built-in theme, or of one's own
	Color       string // a name theme.ParseColorMode knows
	ASCII       bool   // draw with ASCII only
	ReadOnly    bool   // refuse every changing operation
	Protected   bool   // ask one level more strictly
	NoPrompt    bool   // never ask, fail instead
	Debug       bool
	LogFile     string
	CacheDir    string // never empty unless the machine has no home folder
	Escape      string // the escape character of shells, or "none"
	History     bool   // keep what looks at patching counted

	origins map[Key]Origin
}

// Options are the inputs of Load. Zero fields mean: no environment, no flags,
// the running platform, no further checks.
type Options struct {
	Lookup Lookup
	// Flags holds the flags that were typed, and only those, by key. Boolean
	// flags are "true" or "false".
	Flags map[Key]string
	// Path is the value of --config. It wins over SSMDECK_CONFIG, and a file
	// named by either must exist.
	Path string
	// GOOS chooses the folder rules; tests set it.
	GOOS string
	// Check validates the value of a key before it is accepted; its error is
	// given the place the value came from.
	Check map[Key]func(value string) error
}

// Load reads the configuration file, if there is one, and resolves every
// setting. All faults are reported at once, each with its place, in a Usage
// error; a file that was named but does not exist is NotFound.
func Load(o Options) (*Settings, error) {
	if o.Lookup == nil {
		o.Lookup = func(string) (string, bool) { return "", false }
	}
	if o.GOOS == "" {
		o.GOOS = runtime.GOOS
	}
	f, err := o.open()
	if err != nil {
		return nil, err
	}
	r := resolver{Options: o, file: f, out: &Settings{File: f.path, origins: map[Key]Origin{}}}
	r.out.Contexts = slices.Sorted(maps.Keys(f.contexts))
	r.context()
	for i := range specs {
		if specs[i].key != Context {
			r.set(&specs[i])
		}
	}
	if len(r.faults) > 0 {
		return nil, &fault.Error{Kind: fault.Usage, Err: errors.Join(r.faults...)}
	}
	if r.out.CacheDir == "" {
		// Without a home folder there is no cache; that is no reason to stop.
		r.out.CacheDir, _ = CacheDir(o.Lookup, o.GOOS)
	}
	return r.out, nil
}

// open reads the file, or returns an empty one when none was named and the
// usual one does not exist.
func (o *Options) open() (*file, error) {
	path, named := o.path()
	if path == "" {
		return &file{}, nil
	}
	data, err := readFile(path)
	switch {
	case err == nil:
		return parse(path, data)
	case named == "" && absent(err):
		return &file{}, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fault.New(fault.NotFound, "read configuration", "no file %s (named by %s)", path, named)
	default:
		return nil, fault.New(fault.Usage, "read configuration", "%w", err)
	}
}

// path is the configuration file and what named it; nothing named the usual one. It
// is empty when there is no home folder.
func (o *Options) path() (path, named string) {
	if o.Path != "" {
		return o.Path, "--config"
	}
	if path := get(o.Lookup, "SSMDECK_CONFIG"); path != "" {
		return path, "SSMDECK_CONFIG"
	}
	path, _ = Path(o.Lookup, o.GOOS)
	return path, ""
}

// Dir is the folder of the configuration file, whether there is such a file or not, for
// what belongs beside it; path is that of --config. It is empty when there is no home
// folder.
func Dir(env Lookup, path, goos string) string {
	o := Options{Lookup: env, Path: path, GOOS: goos}
	if path, _ = o.path(); path == "" {
		return ""
	}
	return filepath.Dir(path)
}

// absent reports whether the usual file is just not there for us. A home folder
// of somebody else (sudo), or one that is no folder (a service account with
// /dev/null), is not a fault.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOTDIR)
}

// maxFile bounds what is read as configuration: a real file has a few KiB.
const maxFile = 1 << 20

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder", path)
	case info.Size() > maxFile:
		return nil, fmt.Errorf("%s is larger than %d bytes", path, maxFile)
	}
	return os.ReadFile(path)
}

// resolver fills a Settings key by key and collects the faults.
type resolver struct {
	Options
	file   *file
	chosen section // the chosen context
	out    *Settings
	faults []error
}

// context chooses the context first, because it decides what the file says
// about every other key.
func (r *resolver) context() {
	s := specOf(Context)
	name, origin := r.find(s)
	if name == "" && origin.Source == FromDefault && r.file.current.text != "" {
		name, origin = r.file.current.text, r.origin(r.file.current)
	}
	r.accept(s, name, origin)
	if name == "" {
		return
	}
	section, ok := r.file.contexts[name]
	if !ok {
		r.fail(origin, fmt.Errorf("no context %q%s", name, didYouMean(name, r.out.Contexts)))
	}
	r.chosen = section
}

func (r *resolver) set(s *spec) {
	value, origin := r.find(s)
	if s.sticky {
		value, origin = r.findTrue(s, value, origin)
	}
	r.accept(s, value, origin)
}

// find returns the strongest value of a key.
func (r *resolver) find(s *spec) (string, Origin) {
	for _, from := range r.sources(s) {
		return from.value, from.Origin
	}
	return s.def, Origin{}
}

// findTrue returns the strongest source that says true, else what find gave.
func (r *resolver) findTrue(s *spec, value string, origin Origin) (string, Origin) {
	for _, from := range r.sources(s) {
		if b, err := parseBool(from.value); err == nil && b {
			return from.value, from.Origin
		}
	}
	return value, origin
}

type sourced struct {
	Origin
	value string
}

// sources lists who has something to say about a key, strongest first.
func (r *resolver) sources(s *spec) []sourced {
	var all []sourced
	if v, ok := r.Flags[s.key]; ok {
		all = append(all, sourced{Origin{Source: FromFlag, Name: "--" + s.flag}, v})
	}
	if s.env != "" {
		if v := get(r.Lookup, s.env); v != "" {
			all = append(all, sourced{Origin{Source: FromEnv, Name: s.env}, v})
		}
	}
	for _, sec := range []section{r.chosen, r.file.defaults} {
		if v, ok := sec[s.key]; ok {
			all = append(all, sourced{r.origin(v), v.text})
		}
	}
	return all
}

func (r *resolver) origin(v value) Origin {
	return Origin{Source: FromFile, Name: r.file.path, Line: v.line}
}

// accept checks a value and stores it.
func (r *resolver) accept(s *spec, value string, origin Origin) {
	r.out.origins[s.key] = origin
	switch p := s.field(r.out).(type) {
	case *string:
		if check := r.Check[s.key]; check != nil && value != "" {
			if err := check(value); err != nil {
				r.fail(origin, err)
			}
		}
		*p = value
	case *bool:
		b, err := parseBool(value)
		if err != nil {
			r.fail(origin, err)
		}
		*p = b
	}
}

func (r *resolver) fail(origin Origin, err error) {
	r.faults = append(r.faults, fmt.Errorf("%s: %w", origin.place(), err))
}

// parseBool reads a boolean as people write them; "" is false.
func parseBool(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "true", "yes", "on", "1":
		return true, nil
	case "false", "no", "off", "0", "":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither true nor false", s)
}

func get(lookup Lookup, name string) string {
	v, _ := lookup(name)
	return v
}
