package param

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// put sends c, and what the service does not take together with it.
func put(ctx context.Context, env *cli.Env, ro render.Options, f *setFlags, svc *parameter.Service, c parameter.Change, current *parameter.Parameter) error {
	r := paramOutcome{Result: "created", Name: c.Name, Type: c.Type, KeyID: c.KeyID, Tier: parameter.TierFor(c, current), Version: 1}
	if c.Overwrite {
		r.Result, r.Version = "updated", c.Replaces+1
	}
	if f.dryRun {
		r.Result = map[bool]string{false: "would_create", true: "would_update"}[c.Overwrite]
		if current == parameter.Unknown {
			r.Version = 0
		}
		r.Labels, r.Tags = f.labels, tagsGiven(f)
		env.Note("dry run: nothing was written; the value has %d bytes", len(c.Value))
		return writeParamOutcome(env, ro, r)
	}
	written, err := svc.Put(ctx, withoutTags(c))
	if err != nil {
		if fault.KindOf(err) == fault.Conflict && !c.Overwrite {
			return fault.New(fault.Conflict, "write parameter "+c.Name, "it exists already; nothing was written").
				WithHint("add --overwrite to write a new version of it")
		}
		return err
	}
	r.Version = written.Version
	if written.Tier != "" {
		if written.Tier == parameter.Advanced && r.Tier != parameter.Advanced && current != parameter.Unknown {
			env.Note("note: the account's default put it into the advanced tier, which costs %s a month", parameter.AdvancedMonth)
		}
		r.Tier = written.Tier
	}
	if !c.Overwrite {
		r.Tags = c.Tags
	}
	return finish(ctx, env, ro, f, svc, c, r)
}

func tagsGiven(f *setFlags) map[string]string {
	tags, _ := cli.ParseTags(f.tags) // they were checked
	return tags
}

// finish sets tags and labels, waits for an image, and says what was done. What
// fails here leaves a version behind, and says so.
func finish(ctx context.Context, env *cli.Env, ro render.Options, f *setFlags, svc *parameter.Service, c parameter.Change, r paramOutcome) error {
	if f.dryRun {
		return writeParamOutcome(env, ro, r)
	}
	var failed []error
	if len(c.Tags) > 0 && len(r.Tags) == 0 {
		if err := svc.Tag(ctx, c.Name, c.Tags); err != nil {
			failed = append(failed, err)
		} else {
			r.Tags = c.Tags
		}
	}
	if len(f.labels) > 0 {
		if err := paramPutLabels(ctx, env, svc, c.Name, r.Version, f.labels); err != nil {
			failed = append(failed, err)
		} else {
			r.Labels = f.labels
		}
	}
	if r.Result != "unchanged" {
		if err := image(ctx, env, f.wait, svc, c, r.Version); err != nil {
			failed = append(failed, err)
		}
		if c.Replaces > 0 && r.Version != c.Replaces+1 {
			failed = append(failed, fault.New(fault.Conflict, "", "somebody else wrote version %d meanwhile; yours came after it", r.Version-1))
		}
	}
	if err := writeParamOutcome(env, ro, r); err != nil || len(failed) == 0 {
		return err
	}
	if r.Result == "unchanged" {
		return errors.Join(failed...)
	}
	return fault.New(fault.RemoteFailed, "write parameter "+c.Name, "version %d is written, but: %w", r.Version, errors.Join(failed...)).
		WithHint("see `ssmdeck param history %s`", c.Name)
}

// image says, or waits for, what the service makes of the id of an image: its
// answer does not tell.
func image(ctx context.Context, env *cli.Env, limit time.Duration, svc *parameter.Service, c parameter.Change, version int64) error {
	switch {
	case c.DataType != parameter.ImageData:
		return nil
	case limit <= 0:
		env.Note("note: the service looks the image up only now, and drops the version if it is not there; --wait 30s waits for it")
		return nil
	}
	for end, step := time.Now().Add(limit), 200*time.Millisecond; ; step = min(2*step, 4*time.Second) {
		found, _, err := svc.Get(ctx, []string{c.Name}, false)
		switch {
		case err != nil:
			return err
		case len(found) == 1 && found[0].Version >= version:
			return nil
		case time.Now().After(end):
			return fault.New(fault.RemoteFailed, "", "after %s there is still no version %d: there may be no such image in this account and Region", limit, version)
		}
		if err := wait.Sleep(ctx, step); err != nil {
			return err
		}
	}
}
