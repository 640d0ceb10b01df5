package param

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/connect"
	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

// editFile is a text in a file that only its owner can read, alone in a folder of which
// the same is true.
type editFile struct {
	path, text string
	kept       bool // wipe leaves it
}

// editPlaces are where such files may be, the best first: in memory, and gone at the
// latest when the user has logged out or the machine stops.
func editPlaces() []string {
	return []string{os.Getenv("XDG_RUNTIME_DIR"), "/dev/shm", os.TempDir()}
}

// newEditFile writes text into a new private file, named as the last part of name.
func newEditFile(name, text string) (*editFile, error) {
	var failed error
	for _, place := range editPlaces() {
		if place == "" || !filepath.IsAbs(place) {
			continue
		}
		if info, err := os.Stat(place); err != nil || !info.IsDir() {
			continue
		}
		dir, err := os.MkdirTemp(place, "ssmdeck-") // mode 0700
		if err != nil {
			failed = err
			continue
		}
		base := name[strings.LastIndex(name, "/")+1:]
		if strings.Trim(base, ".") == "" {
			base = "value"
		}
		f := &editFile{path: filepath.Join(dir, base), text: text}
		file, err := os.OpenFile(f.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = file.WriteString(text)
			err = errors.Join(err, file.Close())
		}
		if err == nil {
			return f, nil
		}
		failed = err
		f.wipe()
	}
	if failed == nil {
		failed = errors.New("there is no folder for temporary files")
	}
	return nil, fault.New(fault.Failed, "make a private file", "%w", cli.PlainPathError(failed)).WithHint("point TMPDIR to a folder that you can write to")
}

// read returns the text as the editor left it.
func (f *editFile) read() (string, error) {
	info, err := os.Lstat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fault.New(fault.Failed, "read what was edited", "the editor removed the file; nothing was written")
	case err != nil:
		return "", fault.New(fault.Failed, "read what was edited", "%w", cli.PlainPathError(err))
	case !info.Mode().IsRegular():
		return "", fault.New(fault.Failed, "read what was edited", "the editor left something else than a file; nothing was written")
	case info.Size() > cli.MaxInput:
		return "", fault.Usagef("what was edited has %d bytes; the advanced tier holds %d", info.Size(), parameter.AdvancedBytes)
	}
	data, err := os.ReadFile(f.path)
	if err != nil {
		return "", fault.New(fault.Failed, "read what was edited", "%w", cli.PlainPathError(err))
	}
	return string(data), nil
}

// wipe overwrites everything in the folder and removes it.
func (f *editFile) wipe() {
	if f.kept {
		return
	}
	dir := filepath.Dir(f.path)
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			overwrite(filepath.Join(dir, e.Name()), info.Size())
		}
	}
	_ = os.RemoveAll(dir)
}

// overwrite fills a file with zeros, as far as that goes: what cannot be overwritten is
// removed all the same.
func overwrite(path string, size int64) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return
	}
	defer f.Close()
	_, _ = io.CopyN(f, zeros{}, size)
	_ = f.Sync()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// editor is a program with its arguments, the file not among them.
type editor struct {
	path string
	args []string
}

// findEditor returns the editor of the user, told to leave nothing behind.
func findEditor(lookup config.Lookup) (editor, error) {
	line, from := "", ""
	for _, name := range []string{"VISUAL", "EDITOR"} {
		if v, ok := lookup(name); ok && strings.TrimSpace(v) != "" {
			line, from = v, "$"+name
			break
		}
	}
	if line == "" {
		line, from = "vi", "there is neither $VISUAL nor $EDITOR, and vi"
		if runtime.GOOS == "windows" {
			line, from = "notepad", "there is neither VISUAL nor EDITOR, and notepad"
		}
	}
	words, err := editorWords(line)
	if err != nil || len(words) == 0 {
		return editor{}, fault.Usagef("%s is no command line: a quote is open", from).WithHint("write EDITOR='vim' or EDITOR='code --wait'")
	}
	path, err := exec.LookPath(words[0])
	if err != nil {
		return editor{}, fault.New(fault.NotFound, "", "%s: there is no program %s", from, words[0]).WithHint("set EDITOR to one that is installed, such as EDITOR=nano")
	}
	target := path
	if real, err := filepath.EvalSymlinks(path); err == nil { // vi is often vim
		target = real
	}
	return editor{path, append(editorFlags(words[0], target, words[1:]), words[1:]...)}, nil
}

// editorWords cuts a command line into words; on Windows a backslash is a part of paths.
func editorWords(line string) ([]string, error) {
	if runtime.GOOS == "windows" {
		line = strings.ReplaceAll(line, `\`, `\\`)
	}
	return cli.SplitWords(line)
}

// editorFlags makes well-known editors leave no copies of the text, and the end of the
// file as it is.
func editorFlags(typed, target string, args []string) []string {
	is := func(names ...string) bool {
		return slices.ContainsFunc([]string{typed, target}, func(p string) bool {
			base := strings.TrimSuffix(strings.ToLower(filepath.Base(p)), ".exe")
			return slices.ContainsFunc(names, func(n string) bool { return base == n || strings.HasPrefix(base, n+".") })
		})
	}
	quiet := []string{"-n", "-i", "NONE", "--cmd", "silent! set nobackup nowritebackup noswapfile nofixeol", "--cmd", "silent! set noundofile"}
	switch {
	case is("nvim", "vim", "gvim"):
		return quiet
	case is("nano"):
		return []string{"--ignorercfiles", "--nonewlines"} // what makes it keep backups is in those files
	case is("emacs"):
		return []string{"--eval", "(setq make-backup-files nil auto-save-default nil create-lockfiles nil require-final-newline nil mode-require-final-newline nil)"}
	case is("code", "code-insiders", "codium", "cursor", "subl", "zed") && !slices.Contains(args, "--wait") && !slices.Contains(args, "-w"):
		return []string{"--wait"} // it would be over before anything was typed
	}
	return nil
}

// run lets the person edit a file. An editor that fails, or is told to end together with
// us, is an error: what it left is not taken.
func (e editor) run(ctx context.Context, env *cli.Env, file string) error {
	within, end := context.WithCancel(ctx)
	defer end()
	cmd := exec.CommandContext(within, e.path, append(slices.Clone(e.args), file)...)
	cmd.Cancel = func() error { return connect.PassSignal(cmd.Process, syscall.SIGTERM) }
	cmd.WaitDelay = connect.ChildGrace                           // then it is killed
	cmd.Stdin, cmd.Stdout, cmd.Stderr = env.In, env.Err, env.Err // standard output is for data
	if cli.IsTerminal(env.Out) {
		cmd.Stdout = env.Out
	}
	failed := func(err error) error {
		return fault.New(fault.Failed, "edit", "%s: %w; nothing was written", filepath.Base(e.path), err)
	}
	done := env.Busy()
	defer done()
	if err := cmd.Start(); err != nil {
		return failed(cli.PlainPathError(err))
	}
	back := func() {}
	if env.Interrupts != nil {
		back = env.Interrupts.Hand(func(s os.Signal) {
			if s != os.Interrupt || !connect.Attended(env) { // of a terminal it is a key, which the editor gets as well
				end()
			}
		})
	}
	err := cmd.Wait()
	back()
	switch {
	case within.Err() != nil:
		return fault.New(fault.Interrupted, "edit", "told to end; nothing was written")
	case err != nil:
		return failed(err)
	}
	return nil
}
