package patch

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/rolling"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/patching"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/waves"
)

// resume takes up an installation that was begun.
func (o *installOptions) resume(cmd *cobra.Command, env *cli.Env, ro render.Options, args []string) error {
	ctx := cmd.Context()
	// Before the state is read: another process may be writing it.
	if !o.dryRun {
		release, err := o.waves.Lock()
		if err != nil {
			return err
		}
		defer release()
	}
	var st patching.State
	if err := o.waves.Read(cmd, args, &st, "reboot", "override-list", "baseline-override", "snapshot-id"); err != nil {
		return err
	}
	if st.Kind != patching.StateKind {
		return rolling.NotThatState(o.waves.Resume, "an installation of patches")
	}
	if err := st.Check(); err != nil {
		return fault.New(fault.Usage, "read the state of "+o.waves.Resume, "%w", err)
	}
	if err := o.samePlace(ctx, env, &st); err != nil {
		return err
	}
	if o.calendars == nil {
		o.calendars = st.Calendars // they guard what is left, too
	}
	st.Calendars = o.calendars
	if dir, err := installStates(env); err == nil {
		o.own = filepath.Dir(o.waves.Resume) == dir
	}
	svc, err := env.Fleet(ctx)
	if err != nil {
		return err
	}
	left := st.Waves.LeftWaves()
	if len(left) == 0 {
		env.Note("ssmdeck: there is nothing left to install")
		return o.end(env, ro, &st, st.Waves.Err())
	}
	if begun := st.Waves.Count(waves.Begun); begun > 0 {
		env.Note("ssmdeck: %s in a wave that was begun: what was sent to them is looked for first, and followed", cli.PluralAre(begun, "node"))
	}
	if o.dryRun {
		env.Note("would go on installing patches on %s; nothing was sent", installWords(st.Options, left))
		return cli.WriteList(env, installTable, ro, installRows(&st))
	}
	schedules, err := readSchedules(ctx, env)
	if err != nil {
		return err
	}
	if err := schedules.Open(ctx, o.calendars); err != nil {
		return err
	}
	if err := env.Confirm(ctx, "go on installing patches on "+installWords(st.Options, left)); err != nil {
		return err
	}
	return o.install(ctx, env, ro, svc, &st)
}

// samePlace refuses to go on in another account or Region than where it was begun:
// nothing of what was sent would be found there.
func (o *installOptions) samePlace(ctx context.Context, env *cli.Env, st *patching.State) error {
	if st.Region == "" {
		return nil
	}
	account, region, err := env.Whereabouts(ctx)
	if region != "" && region != st.Region {
		return fault.Usagef("--resume %s: it was begun in the Region %s, and this is %s", o.waves.Resume, st.Region, region).WithHint("add --region %s", st.Region)
	}
	if err == nil && st.Account != "" && account != st.Account {
		return fault.Usagef("--resume %s: it was begun in the account %s, and this is %s", o.waves.Resume, st.Account, account).WithHint("name the profile of that account with --profile")
	}
	return ctx.Err()
}
