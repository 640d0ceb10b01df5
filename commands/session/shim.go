package session

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

func newShimCmd(env *cli.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "shim <command>",
		Short: "Let the AWS CLI use ssmdeck for its sessions",
		Long: `Put ssmdeck in the place of the session-manager-plugin, so that
` + "`aws ssm start-session`, `aws ecs execute-command`" + ` and what is built on them get a
session that survives lost connections, uploads fast, and an exit status.`,
		Example: "  $ ssmdeck session shim install\n  $ aws ssm start-session --target i-0123456789abcdef0\n  $ ssmdeck session shim remove",
		Args:    cobra.ArbitraryArgs,
		RunE:    cli.RunGroup,
	}
	cmd.AddCommand(newShimInstallCmd(env), newShimRemoveCmd(env))
	return cmd
}

func newShimInstallCmd(env *cli.Env) *cobra.Command {
	var (
		dir   string
		force bool
	)
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Link this program as session-manager-plugin",
		Long: `Link this program as session-manager-plugin, beside itself or, where that is not
allowed, in ~/.local/bin. A file of that name that is not ours is left alone.`,
		Example: "  $ ssmdeck session shim install\n  $ ssmdeck session shim install --dir ~/bin",
		Args:    cli.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return shimInstall(env, dir, force) },
	}
	cmd.Flags().StringVar(&dir, "dir", "", "`folder` on PATH to put it into")
	cmd.Flags().BoolVar(&force, "force", false, "replace a plugin that is there")
	return cmd
}

func newShimRemoveCmd(env *cli.Env) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:     "remove",
		Aliases: []string{"uninstall"},
		Short:   "Take the link away again",
		Example: "  $ ssmdeck session shim remove",
		Args:    cli.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return shimRemove(env, dir) },
	}
	cmd.Flags().StringVar(&dir, "dir", "", "`folder` that it is in")
	return cmd
}

func shimInstall(env *cli.Env, dir string, force bool) error {
	self, dirs, err := shimPlaces(dir)
	if err != nil {
		return err
	}
	path := ""
	for _, d := range dirs { // the first that lets us
		path = filepath.Join(d, shimFile())
		if err = placeShim(path, self, force); !errors.Is(err, fs.ErrPermission) {
			break
		}
	}
	var known *fault.Error
	switch {
	case errors.As(err, &known):
		return err
	case err != nil:
		return fault.New(fault.Failed, "install "+path, "%w", err).WithHint("name another folder of PATH with --dir")
	}
	env.Note("%s leads to ssmdeck", render.Visible(path))
	found, err := exec.LookPath(cli.PluginName)
	switch {
	case err != nil:
		env.Note("ssmdeck: warning: %s is not in PATH; the AWS CLI will not find it", render.Visible(filepath.Dir(path)))
	case !cli.SameFile(found, path):
		env.Note("ssmdeck: warning: %s comes first in PATH, and the AWS CLI uses that one", render.Visible(found))
	}
	return nil
}

// placeShim makes path lead to self. Errors of the system are as they are.
func placeShim(path, self string, force bool) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if info, err := os.Lstat(path); err == nil {
		switch {
		case info.IsDir():
			return fault.New(fault.Refused, "install "+path, "there is a folder of that name")
		case isShim(path, self), force:
			if err := os.Remove(path); err != nil {
				return err
			}
		default:
			return fault.New(fault.Refused, "install "+path, "there is a file of that name, and it is not ours").
				WithHint("choose another folder with --dir, or replace it with --force")
		}
	}
	err := os.Symlink(self, path)
	if err == nil || runtime.GOOS != "windows" {
		return err
	}
	if os.Link(self, path) == nil { // links need a privilege there
		return nil
	}
	return copyFile(self, path)
}

func copyFile(from, to string) (err error) {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	if closeErr := dst.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		_ = os.Remove(to)
	}
	return err
}

// isShim reports whether the file at path is ours: a link to a program of our
// name, whether it is still there or not, or the same program.
func isShim(path, self string) bool {
	if target, err := os.Readlink(path); err == nil {
		name := strings.ToLower(filepath.Base(target))
		if strings.TrimSuffix(name, ".exe") == "ssmdeck" {
			return true
		}
	}
	if cli.SameFile(path, self) {
		return true
	}
	a, errA := os.Stat(path)
	b, errB := os.Stat(self)
	if errA != nil || errB != nil || a.Size() != b.Size() {
		return false
	}
	textA, errA := os.ReadFile(path)
	textB, errB := os.ReadFile(self)
	return errA == nil && errB == nil && bytes.Equal(textA, textB)
}

func shimRemove(env *cli.Env, dir string) error {
	self, dirs, err := shimPlaces(dir)
	if err != nil {
		return err
	}
	removed := false
	for _, d := range dirs {
		path := filepath.Join(d, shimFile())
		switch _, err := os.Lstat(path); {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return fault.New(fault.Failed, "remove "+path, "%w", err)
		case !isShim(path, self):
			return fault.New(fault.Refused, "remove "+path, "it is not ours").WithHint("delete it by hand, if you mean it")
		}
		if err := os.Remove(path); err != nil {
			return fault.New(fault.Failed, "remove "+path, "%w", err)
		}
		env.Note("removed %s", render.Visible(path))
		removed = true
	}
	if !removed {
		env.Note("there is none")
	}
	return nil
}

func shimFile() string {
	if runtime.GOOS == "windows" {
		return cli.PluginName + ".exe"
	}
	return cli.PluginName
}

// shimPlaces returns the path of this program and the folders that the link may be
// in: the one that was named, or that of this program and ~/.local/bin.
func shimPlaces(dir string) (self string, dirs []string, err error) {
	if self, err = cli.SelfPath(); err != nil {
		return "", nil, err
	}
	if dir != "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return "", nil, fault.New(fault.Usage, "find "+dir, "%w", err)
		}
		return self, []string{abs}, nil
	}
	dirs = []string{filepath.Dir(self)}
	if home, err := os.UserHomeDir(); err == nil {
		dirs = append(dirs, filepath.Join(home, ".local", "bin"))
	}
	return self, dirs, nil
}
