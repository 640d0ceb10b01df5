package forward

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/savedforwards"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// followEvery is how often a followed log is looked at: files tell nobody that
// they have grown.
const followEvery = 250 * time.Millisecond

func newLogsCmd(env *cli.Env) *cobra.Command {
	var follow bool
	cmd := &cobra.Command{
		Use:   "logs [<name>]",
		Short: "What forwards behind the shell have said",
		Example: `  $ ssmdeck forward logs
  $ ssmdeck forward logs orders-db --follow`,
		Args: func(cmd *cobra.Command, args []string) error {
			return cli.ExactArgs([]string{"the name"}[:min(1, len(args))]...)(cmd, args)
		},
		ValidArgsFunction: completeForwards(env, new(string), false),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := append(args, "")[0]
			return logs(cmd.Context(), env, name, follow)
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "wait for more, until Ctrl-C")
	return cmd
}

func logs(ctx context.Context, env *cli.Env, name string, follow bool) error {
	dir, err := savedforwards.Dir(env)
	if err != nil {
		return err
	}
	f, err := os.Open(filepath.Join(dir, logName))
	if errors.Is(err, fs.ErrNotExist) {
		env.Note("nothing has run in the background yet")
		return nil
	}
	if err != nil {
		return fault.New(fault.Failed, "read the log of forwards", "%w", err)
	}
	defer f.Close()
	lines := bufio.NewReader(f)
	part := ""
	for {
		text, err := lines.ReadString('\n')
		part += text
		switch {
		case err == nil:
			if matchesForward(part, name) {
				if _, err := fmt.Fprintln(env.Out, render.Visible(part[:len(part)-1])); err != nil {
					return err
				}
			}
			part = ""
		case !errors.Is(err, io.EOF):
			return fault.New(fault.Failed, "read the log of forwards", "%w", err)
		case !follow:
			return nil
		default:
			if wait.Sleep(ctx, followEvery) != nil {
				return nil
			}
		}
	}
}
