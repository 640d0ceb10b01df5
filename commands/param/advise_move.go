package param

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/secrets"
)

// paramMove are the flags of `param advise` that move parameters to Secrets Manager.
type paramMove struct {
	wanted         bool // --to-secret
	secret         string
	delete, dryRun bool
}

// sameName stands for a secret with the name of its parameter: --to-secret without a
// value. It is no name of a secret.
const sameName = "="

func (m *paramMove) bind(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&m.secret, "to-secret", "", "move the parameters that are named to Secrets Manager; the secret has their `name` without the first slash, or this one")
	f.Lookup("to-secret").NoOptDefVal = sameName
	f.BoolVar(&m.delete, "delete", false, "with --to-secret: delete the parameter when the secret has been read back")
	f.BoolVar(&m.dryRun, "dry-run", false, "with --to-secret: check everything that can be checked without reading the values, and change nothing")
}

// movedParam is what became of one parameter. The JSON names are part of the output
// contract.
type movedParam struct {
	Parameter string        `json:"parameter"`
	Secret    string        `json:"secret"`
	ARN       string        `json:"arn,omitempty"`
	Reference string        `json:"reference"` // the name under which Parameter Store gives it out
	State     string        `json:"state"`     // to make, there, made
	Deleted   bool          `json:"deleted"`   // the parameter
	Monthly   parameter.USD `json:"usd_per_month"`

	from parameter.Parameter
	key  string
}

// The states of movedParam.
const (
	moveToMake = "to make"
	moveThere  = "there" // a secret of this name was there before
	moveMade   = "made"
)

func (o *adviseOptions) moveTo(cmd *cobra.Command, env *cli.Env, args []string) error {
	ctx := cmd.Context()
	ro, err := cli.ListOptions(env, movedTable)
	if err != nil {
		return err
	}
	for _, name := range []string{"decrypt", "sharing", "max-age", "also-in", "fail-on"} {
		if cmd.Flags().Changed(name) {
			return fault.Usagef("--%s is for advice, and does not go with --to-secret", name)
		}
	}
	moves, err := o.move.plan(args)
	if err != nil {
		return err
	}
	for _, op := range []string{"CreateSecret", "DeleteParameters"} {
		if err := env.RefuseChange(op, o.move.dryRun); err != nil {
			return err
		}
	}
	scope, err := env.Scope(ctx)
	if err != nil {
		return err
	}
	svc, vault := parameter.New(scope.SSM()), secrets.NewService(scope.Config())
	if err := lookUpMoves(ctx, env, svc, vault, moves); err != nil {
		return err
	}
	if o.move.dryRun {
		env.Note("ssmdeck: nothing was changed: the values were not read")
		return cli.WriteList(env, movedTable, ro, moves)
	}
	if err := o.move.confirm(ctx, env, moves); err != nil {
		return err
	}
	done, failed := []movedParam{}, []error(nil)
	for _, m := range moves {
		if err := m.create(ctx, svc, vault); err != nil {
			failed = append(failed, err)
			continue
		}
		done = append(done, m)
	}
	if o.move.delete && len(done) > 0 {
		failed = append(failed, deleteMoved(ctx, env, svc, done)...)
	}
	if err := cli.WriteList(env, movedTable, ro, done); err != nil {
		return err
	}
	if len(done) > 0 {
		env.Note("ssmdeck: who reads the reference needs secretsmanager:GetSecretValue, and decryption; GetParametersByPath does not give it out")
	}
	return cli.MoreThanOne("move parameters to Secrets Manager", failed, len(moves))
}

// plan reads what is to be moved from the words of the command line.
func (m *paramMove) plan(args []string) (moves []movedParam, err error) {
	switch {
	case len(args) == 0:
		return nil, fault.Usagef("--to-secret moves parameters that are named, and none is").WithHint("name one: ssmdeck param advise /app/db-password --to-secret")
	case len(args) > 1 && m.secret != sameName:
		return nil, fault.Usagef("--to-secret=%s is one name, and there are %d parameters", m.secret, len(args)).
			WithHint("move one at a time, or leave the name out: secrets have the names of their parameters then")
	}
	var faults []error
	seen := map[string]bool{}
	for _, name := range args {
		secret := m.secret
		if secret == sameName {
			secret = strings.TrimPrefix(name, "/")
		}
		if parameter.IsPattern(name) {
			faults = append(faults, fault.Usagef("%q is a pattern, and --to-secret moves parameters that are named", name).WithHint("see them with `ssmdeck param list`"))
			continue
		}
		if seen[name] {
			faults = append(faults, fault.Usagef("%s is there twice", name))
		}
		seen[name] = true
		faults = append(faults, secrets.New{Name: secret, Value: "checked later"}.Check()...)
		moves = append(moves, movedParam{Parameter: name, Secret: secret, Reference: parameter.SecretPath + secret, State: moveToMake, Monthly: parameter.SecretMonth})
	}
	return moves, cli.AllFaults("move parameters to Secrets Manager", faults)
}

// lookUpMoves finds the parameters and the secrets that are there already.
func lookUpMoves(ctx context.Context, env *cli.Env, svc *parameter.Service, vault *secrets.Service, moves []movedParam) error {
	var missing []string
	for i := range moves {
		m := &moves[i]
		p, err := svc.Exists(ctx, m.Parameter)
		switch {
		case fault.KindOf(err) == fault.NotFound:
			missing = append(missing, m.Parameter)
			continue
		case err != nil:
			return err
		}
		m.from = p
		if p.Secure() && !parameter.OwnKey(p.KeyID) {
			m.key = p.KeyID
		}
		secret, found, err := vault.Find(ctx, m.Secret)
		switch {
		case err != nil:
			return err
		case found && !secret.Deletes.IsZero():
			return fault.New(fault.Conflict, "", "the secret %s is there, and will be deleted at %s", m.Secret, render.Timestamp(secret.Deletes)).
				WithHint("restore it with the AWS CLI (secretsmanager restore-secret), or choose another name with --to-secret=NAME")
		case found:
			m.State, m.ARN = moveThere, secret.ARN
		}
		if doubt := secrets.Doubt(m.Secret); doubt != "" {
			env.Note("ssmdeck: warning: %s: %s", m.Secret, doubt)
		}
		if n := len(p.Policies); n > 0 {
			env.Note("ssmdeck: warning: %s has %s, which secrets do not have", m.Parameter, cli.Plural(n, "policy"))
		}
	}
	if len(missing) > 0 {
		return fault.New(fault.NotFound, "", "there is no parameter %s", render.Visible(strings.Join(missing, ", "))).WithHint("nothing was changed; list them with `ssmdeck param list`")
	}
	return nil
}

func (m *paramMove) confirm(ctx context.Context, env *cli.Env, moves []movedParam) error {
	n := 0
	for _, one := range moves {
		if one.State == moveToMake {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return env.Confirm(ctx, "make "+cli.Plural(n, "secret")+" for "+parameter.SecretPrice(n).String()+" a month")
}

// create makes the secret, or sees that the one that is there has the same value, and
// reads it back.
func (m *movedParam) create(ctx context.Context, svc *parameter.Service, vault *secrets.Service) error {
	op := "move " + m.Parameter + " to Secrets Manager"
	found, _, err := svc.Get(ctx, []string{m.Parameter}, true)
	switch {
	case err != nil:
		return err
	case len(found) == 0:
		return fault.New(fault.NotFound, op, "the parameter has gone")
	}
	p := found[0]
	if m.State == moveToMake {
		tags, err := svc.Tags(ctx, m.Parameter)
		if err != nil {
			return err
		}
		secret, err := vault.Create(ctx, secrets.New{
			Name: m.Secret, Value: p.Value, Description: m.from.Description, KeyID: m.key, Tags: tags,
			Token: secrets.Token(p.ARN, strconv.FormatInt(p.Version, 10), m.Secret),
		})
		if err != nil {
			return err
		}
		m.ARN, m.State = secret.ARN, moveMade
	}
	_, text, err := vault.Value(ctx, m.Secret)
	switch {
	case err != nil:
		return fault.New(fault.KindOf(err), op, "the secret is there and could not be read back: %w", err).WithHint("%s", fault.HintOf(err))
	case text == nil || *text != p.Value:
		return fault.New(fault.Conflict, op, "the secret %s has another value", m.Secret).WithHint("nothing of it was changed; choose another name with --to-secret=NAME")
	}
	m.from.Version = p.Version
	return nil
}

// deleteMoved deletes parameters whose secrets have been read back, unless somebody has
// changed them meanwhile: a question may wait for long.
func deleteMoved(ctx context.Context, env *cli.Env, svc *parameter.Service, done []movedParam) (failed []error) {
	var all []string
	for _, m := range done {
		all = append(all, m.Parameter)
	}
	if err := env.Confirm(ctx, "delete "+strings.Join(all, ", ")+" and every version of it"); err != nil {
		return []error{err}
	}
	var names []string
	at := map[string]int{}
	for i, m := range done {
		now, err := svc.Exists(ctx, m.Parameter)
		switch {
		case err != nil:
			failed = append(failed, err)
		case now.Version != m.from.Version:
			failed = append(failed, fault.New(fault.Conflict, "delete "+m.Parameter, "it was changed meanwhile, and stays").WithHint("the secret has version %d of it", m.from.Version))
		default:
			names = append(names, m.Parameter)
			at[m.Parameter] = i
		}
	}
	if len(names) == 0 {
		return failed
	}
	deleted, _, err := svc.Delete(ctx, names)
	for _, name := range deleted {
		done[at[name]].Deleted = true
	}
	if err != nil {
		failed = append(failed, err)
	}
	return failed
}

func movedTable(render.Options) render.Table[movedParam] {
	type row = movedParam
	return render.Table[row]{
		ID: func(m row) string { return m.Reference }, Empty: "nothing was moved",
		Columns: []render.Column[row]{
			{Name: "PARAMETER", ID: true, Text: func(m row) string { return m.Parameter }},
			{Name: "SECRET", ID: true, Text: func(m row) string { return m.Secret }},
			{Name: "STATE", Text: func(m row) string { return m.State }},
			{Name: "DELETED", Text: func(m row) string { return strconv.FormatBool(m.Deleted) }, Human: func(m row) string {
				if m.Deleted {
					return "parameter"
				}
				return ""
			}},
			{Name: "REFERENCE", ID: true, Text: func(m row) string { return m.Reference }},
			{Name: "USD A MONTH", Wide: true, Right: true, Text: func(m row) string { return usd(m.Monthly) }},
			{Name: "ARN", Wide: true, ID: true, Text: func(m row) string { return m.ARN }},
		},
	}
}
