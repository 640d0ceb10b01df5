package param

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// editFlags are the flags of edit.
type editFlags struct {
	create, secure, keepNewline, dryRun bool
	typ, key                            string
}

func newEditCmd(env *cli.Env) *cobra.Command {
	var f editFlags
	cmd := &cobra.Command{
		Use:   "edit <name>",
		Short: "Change a parameter's value in your editor",
		Long: `Open the value of a parameter, decrypted, in $VISUAL, $EDITOR or vi, and write what
was made of it as a new version. Its description, allowed pattern, data type, key,
tier and policies stay. Nothing is written when nothing was changed.

The text is in a file that only you can read, in memory where the machine has such a
place, and is overwritten and removed afterwards, also when the editor fails or the
command is told to end. vi, vim, Neovim, nano and Emacs are told to keep no backup,
swap or undo file; other editors may keep copies of their own.

Many editors end a file with a line end. Where the value had none, one that was added
is taken off again, which is said; --keep-newline keeps it.

When somebody else wrote the parameter meanwhile, or the service refuses the value,
nothing is written, and your text stays in the private file, whose name is printed.`,
		Example: `  $ ssmdeck param edit /app/prod/config
  $ EDITOR='code --wait' ssmdeck param edit /app/prod/config
  $ ssmdeck param edit /app/prod/license --create --secure`,
		Args: cli.ExactArgs("the name"), ValidArgsFunction: completeParamName(env, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return edit(cmd.Context(), env, &f, args[0])
		},
	}
	fl := cmd.Flags()
	fl.BoolVar(&f.create, "create", false, "make a new parameter")
	fl.BoolVar(&f.secure, "secure", false, "with --create, keep it encrypted: the type SecureString")
	fl.StringVar(&f.typ, "type", "", "with --create, the `type`: String (default), StringList, SecureString")
	fl.StringVar(&f.key, "key", "", "with --create, the KMS `key` of a SecureString")
	fl.BoolVar(&f.keepNewline, "keep-newline", false, "keep a line end that the editor added at the end")
	fl.BoolVar(&f.dryRun, "dry-run", false, "open the editor and say what would be written, and write nothing")
	cli.CompleteFlag(cmd, "type", func() []string { return parameter.Types })
	return cmd
}

// change is what the flags say of a new parameter.
func (f *editFlags) change(name string) (parameter.Change, error) {
	c, _, faults := (&setFlags{typ: f.typ, secure: f.secure, key: f.key}).change(name, time.Now())
	if f.create {
		if c.Type == "" {
			c.Type = parameter.String
		}
		return c, cli.AllFaults("edit parameter "+render.Visible(name), append(faults, parameter.CheckFields(c, nil)...))
	}
	if f.secure || f.typ != "" || f.key != "" {
		faults = append(faults, fault.Usagef("--secure, --type and --key are for --create").WithHint("an edit keeps type and key; `ssmdeck param set --key` changes the key"))
	}
	return c, cli.AllFaults("edit parameter "+render.Visible(name), append(faults, parameter.CheckFields(c, parameter.Unknown)...))
}

func edit(ctx context.Context, env *cli.Env, f *editFlags, name string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	if err := cli.CheckObject(ro, paramOutcome{}); err != nil {
		return err
	}
	c, err := f.change(name)
	if err != nil {
		return err
	}
	if err := env.RefuseChange("PutParameter", f.dryRun); err != nil {
		return err
	}
	editor, err := findEditor(env.Lookup)
	if err != nil {
		return err
	}
	svc, err := openParameters(ctx, env)
	if err != nil {
		return err
	}
	current, value, err := toEdit(ctx, svc, f.create, &c)
	if err != nil {
		return err
	}
	file, err := newEditFile(name, value)
	if err != nil {
		return err
	}
	defer file.wipe()
	if c.Value, err = edited(ctx, env, f, editor, file, c, current); err != nil {
		return err
	}
	outcome := paramOutcome{Result: "unchanged", Name: name, Type: c.Type, Version: c.Replaces, KeyID: c.KeyID}
	if current != nil {
		outcome.Tier = current.Tier
	}
	if c.Value == value {
		env.Note("no change: nothing was written")
		return writeParamOutcome(env, ro, outcome)
	}
	if f.dryRun {
		return put(ctx, env, ro, &setFlags{dryRun: true}, svc, c, current)
	}
	if err := still(ctx, svc, c); err != nil {
		return file.keep(env, err)
	}
	written, err := svc.Put(ctx, c)
	if err != nil {
		return file.keep(env, err)
	}
	outcome.Result, outcome.Version, outcome.Tier = "created", written.Version, written.Tier
	if c.Overwrite {
		outcome.Result = "updated"
	}
	return finish(ctx, env, ro, &setFlags{}, svc, c, outcome)
}

// toEdit reads what is edited, and completes c by it.
func toEdit(ctx context.Context, svc *parameter.Service, create bool, c *parameter.Change) (current *parameter.Parameter, value string, err error) {
	p, err := svc.Exists(ctx, c.Name)
	switch {
	case create && fault.KindOf(err) == fault.NotFound:
		return nil, "", nil
	case fault.KindOf(err) == fault.NotFound:
		return nil, "", fault.New(fault.NotFound, "edit parameter "+c.Name, "there is no such parameter").WithHint("--create makes it")
	case err != nil:
		return nil, "", err
	case create:
		return nil, "", fault.New(fault.Conflict, "edit parameter "+c.Name, "it exists already").WithHint("leave --create out to edit it")
	}
	found, _, err := svc.Get(ctx, []string{c.Name}, true)
	switch {
	case err != nil:
		return nil, "", err
	case len(found) == 0:
		return nil, "", fault.New(fault.NotFound, "edit parameter "+c.Name, "it was deleted a moment ago")
	}
	*c = c.Keeping(p)
	c.Overwrite, c.Replaces = true, found[0].Version
	return &p, found[0].Value, nil
}

// still refuses to write over what somebody else wrote meanwhile.
func still(ctx context.Context, svc *parameter.Service, c parameter.Change) error {
	if !c.Overwrite {
		return nil // the service refuses it when there is one
	}
	now, err := svc.Exists(ctx, c.Name)
	switch {
	case err != nil:
		return err
	case now.Version != c.Replaces:
		return fault.New(fault.Conflict, "edit parameter "+c.Name, "version %d was written meanwhile by %s; nothing was written", now.Version, render.Visible(now.ModifiedBy))
	}
	return nil
}

// edited lets a person edit until the value is one that the service takes, or they
// give up.
func edited(ctx context.Context, env *cli.Env, f *editFlags, editor editor, file *editFile, c parameter.Change, current *parameter.Parameter) (string, error) {
	before := file.text
	for {
		if err := editor.run(ctx, env, file.path); err != nil {
			return "", err
		}
		after, err := file.read()
		if err != nil {
			return "", err
		}
		c.Value = after
		if stripped := strings.TrimSuffix(after, "\n"); stripped != after && !strings.HasSuffix(before, "\n") && !f.keepNewline {
			c.Value = stripped
			if stripped != before {
				env.Note("note: the line end that the editor put at the end is taken off; --keep-newline keeps it")
			}
		}
		switch c.Value {
		case before:
			return c.Value, nil
		case "":
			return "", fault.Usagef("the text is empty, and the service keeps no empty values; nothing was written").WithHint("`ssmdeck param delete %s` deletes it", c.Name)
		}
		faults := parameter.CheckChange(c, current)
		if len(faults) == 0 {
			for _, doubt := range parameter.Doubts(c, current) {
				env.Note("note: %s", doubt)
			}
			return c.Value, nil
		}
		refused := cli.AllFaults("edit parameter "+c.Name, faults)
		if !env.CanAsk() {
			return "", file.keep(env, refused)
		}
		render.Error(env.Err, env.ErrStyles(), refused, false, false)
		answer, err := env.Ask(ctx, "edit it again? [Y/n] ")
		if err != nil {
			return "", err
		}
		if answer != "" && !strings.EqualFold(answer, "y") && !strings.EqualFold(answer, "yes") {
			return "", file.keep(env, fault.New(fault.Refused, "edit parameter "+c.Name, "nothing was written"))
		}
	}
}

// keep leaves the text behind for its writer, and says where.
func (f *editFile) keep(env *cli.Env, err error) error {
	if fault.KindOf(err) == fault.Interrupted {
		return err // who ends a program wants nothing left behind
	}
	f.kept = true
	fmt.Fprintf(env.Err, "your text is in %s, which only you can read; remove it when you have it\n", f.path)
	return err
}
