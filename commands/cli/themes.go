package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// Themes of one's own are files in this folder beside the configuration file.
const (
	themeFolder = "themes"
	themeFile   = ".yaml"
	maxTheme    = 64 << 10 // bytes; a theme has some hundred
)

// ThemeNames are what --theme takes, those of one's own last.
func (e *Env) ThemeNames() []string {
	return slices.Concat([]string{string(theme.Auto)}, theme.Variants(), e.ownThemes())
}

// ownThemes are the names of the themes that have a file, sorted.
func (e *Env) ownThemes() (names []string) {
	files, err := os.ReadDir(e.themeDir())
	if err != nil {
		return nil // there is no such folder, or it is not for us
	}
	for _, f := range files {
		if name, ok := strings.CutSuffix(f.Name(), themeFile); ok && theme.LegalName(name) {
			names = append(names, name)
		}
	}
	return names
}

// themeDir is the folder with the themes of one's own; empty: there is none.
func (e *Env) themeDir() string {
	if e.themes != "" {
		return e.themes
	}
	dir := config.Dir(e.Lookup, e.ConfigFile(), runtime.GOOS)
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, themeFolder)
}

// UseThemesOf makes the themes of another environment known here, whose configuration
// is elsewhere.
func (e *Env) UseThemesOf(other *Env) { e.themes = other.themeDir() }

// checkTheme is the error of a name that no theme has.
func (e *Env) checkTheme(name string) error {
	if _, err := theme.ParseVariant(name); err == nil {
		return nil // the folder needs not be read
	}
	_, err := theme.ParseVariant(name, e.ownThemes()...)
	return err
}

// Theme is the theme of a name; nil: there is none, and err says so. A file with a
// fault is the theme that it is based on, and err says what is wrong.
func (e *Env) Theme(name string) (*theme.Theme, error) {
	if v, err := theme.ParseVariant(name); err == nil {
		return theme.BuiltIn(v), nil
	}
	if err := e.checkTheme(name); err != nil {
		return nil, err
	}
	name = strings.ToLower(name)
	path := filepath.Join(e.themeDir(), name+themeFile)
	data, err := config.ReadRegular(path, maxTheme)
	if err != nil {
		return theme.BuiltIn(theme.Dark), fault.New(fault.Usage, "read the theme "+name, "%s: %w", path, err).WithHint("it looks as dark does until the file can be read")
	}
	return theme.Parse(name, path, data)
}

// usedTheme is the theme of the settings. What is wrong with its file is said once.
func (e *Env) usedTheme(name string) *theme.Theme {
	t, err := e.Theme(name)
	if t == nil { // its file has gone since the settings were read
		t = theme.BuiltIn(theme.Dark)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) && e.told != nil && !e.told.Swap(true) {
		e.Note("ssmdeck: warning: the theme %s has faults, and %s", name, faultsOf(err))
	}
	return t
}

func faultsOf(err error) string {
	return "its base is used instead:\n  " + strings.ReplaceAll(err.Error(), "\n", "\n  ")
}
