package param

import (
	"bytes"
	"context"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parambackup"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

// paramBackup are the flags of `param backup`.
type paramBackup struct {
	file    string
	force   bool
	history bool
	decrypt bool
	without bool
	kmsKey  string
}

func newBackupCmd(env *cli.Env) *cobra.Command {
	var o paramBackup
	cmd := &cobra.Command{
		Use:   "backup <path> -f <file>",
		Short: "Write parameters with everything that belongs to them into one file",
		Long: `Write the parameters below a path (/ is all) into one file: values, types, tiers, keys,
descriptions, patterns, policies and tags; with --history also all versions that the
service has kept, with their labels. ` + "`param restore`" + ` brings them back.

The file is private (mode 0600), there as a whole or not at all, and has a checksum.
SecureStrings are in it with --decrypt, or left out with --no-secrets. --kms-key seals
the file: it is read only by who may decrypt with that key.

It takes a call for the tags of each parameter, and with --history one for its versions.`,
		Example: `  $ ssmdeck param backup /app/prod -f prod.backup --decrypt --history
  $ ssmdeck param backup / -f all.backup --decrypt --history --kms-key alias/backup
  $ ssmdeck param backup /app -f app.backup --no-secrets --force`,
		Args:              cli.ExactArgs("a path, such as /app/prod"),
		ValidArgsFunction: completeParamPath(env, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), env, args[0])
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.file, "file", "f", "", "write to `file`")
	f.BoolVar(&o.force, "force", false, "replace the file when it exists")
	f.BoolVar(&o.history, "history", false, "all versions with their labels, too")
	f.BoolVar(&o.decrypt, "decrypt", false, "read the values of SecureStrings")
	f.BoolVar(&o.without, "no-secrets", false, "leave SecureStrings out")
	f.StringVar(&o.kmsKey, "kms-key", "", "seal the file with this KMS `key`: an alias, an id, an ARN")
	return cmd
}

func (o *paramBackup) check(path string) error {
	var faults faultList
	faults.add(parameter.CheckPath(path))
	if o.file == "" {
		faults.add(fault.Usagef("param backup: missing -f").WithHint("name the file that is to be written"))
	} else {
		faults.add(o.output().Check())
	}
	if o.decrypt && o.without {
		faults.add(fault.Usagef("--no-secrets and --decrypt exclude each other"))
	}
	return cli.AllFaults("back parameters up", faults)
}

func (o *paramBackup) output() cli.OutputFile {
	return cli.OutputFile{Flag: "file", Path: o.file, Force: o.force, Mode: cli.SecretMode}
}

func (o *paramBackup) run(ctx context.Context, env *cli.Env, path string) error {
	if err := o.check(path); err != nil {
		return err
	}
	svc, err := openParameters(ctx, env)
	if err != nil {
		return err
	}
	b, err := o.read(ctx, env, svc, path)
	if err != nil {
		return err
	}
	if b.Account, b.Region, err = env.Whereabouts(ctx); err != nil {
		return err
	}
	var out bytes.Buffer
	if err := parambackup.Encode(&out, b); err != nil {
		return err
	}
	data := out.Bytes()
	if o.kmsKey != "" {
		if data, err = o.seal(ctx, env, data); err != nil {
			return err
		}
	}
	if err := o.output().Write(data); err != nil {
		return err
	}
	if b.LeftOut > 0 {
		env.Note("%s left out", cli.Plural(b.LeftOut, parameter.SecureString))
	}
	env.Note("%s written to %s", b, o.file)
	return nil
}

// read reads all that belongs into the backup.
func (o *paramBackup) read(ctx context.Context, env *cli.Env, svc *parameter.Service, path string) (*parambackup.Backup, error) {
	sel, err := parameter.Select(path)
	if err != nil {
		return nil, err
	}
	if sel.Path == "" {
		sel.Path = "/"
	}
	list, err := readParams(ctx, env, svc, sel, o.decrypt, "read parameters")
	switch {
	case err != nil:
		return nil, err
	case len(list) == 0:
		return nil, nothingBelow(path)
	case onlyValues(list):
		return nil, fault.New(fault.Auth, "back parameters up", "only values could be read, and a backup has all that belongs to them").
			WithHint("allow ssm:DescribeParameters, or write values with `ssmdeck param export`")
	}
	list, left, err := secretRule{o.decrypt, o.without}.apply(list, "the backup")
	if err != nil {
		return nil, err
	}
	root := paramRoot(path, sel, list)
	b := &parambackup.Backup{Header: parambackup.Header{Path: root, One: root != sel.Path, History: o.history, LeftOut: left}}
	if list, err = withTags(ctx, env, svc, list); err != nil {
		return nil, err
	}
	versions := make(map[string][]parameter.Parameter, len(list))
	if o.history {
		if versions, err = backedVersions(ctx, env, svc, list, o.decrypt); err != nil {
			return nil, err
		}
	}
	for _, p := range list {
		b.Records = append(b.Records, parambackup.NewRecord(p, versions[p.Name]))
	}
	return b, nil
}

// backedVersions reads the versions of parameters, the oldest first.
func backedVersions(ctx context.Context, env *cli.Env, svc *parameter.Service, list []parameter.Parameter, decrypt bool) (map[string][]parameter.Parameter, error) {
	out := make(map[string][]parameter.Parameter, len(list))
	each := make(chan []parameter.Parameter, len(list))
	_, err := eachParam(ctx, env, list, "read versions", func(ctx context.Context, p *parameter.Parameter) error {
		got, err := awsapi.Collect(svc.History(ctx, p.Name, decrypt))
		if err == nil && len(got) == 0 {
			err = fault.New(fault.Failed, "read the history of "+p.Name, "there are no versions: it was removed meanwhile")
		}
		if err == nil {
			each <- got
		}
		return err
	})
	close(each)
	for got := range each {
		out[got[0].Name] = got
	}
	return out, err
}

// seal encrypts the file with a data key of KMS.
func (o *paramBackup) seal(ctx context.Context, env *cli.Env, data []byte) ([]byte, error) {
	scope, err := env.Scope(ctx)
	if err != nil {
		return nil, err
	}
	key, sealed, err := scope.StorageKey(ctx, o.kmsKey, parambackup.Context)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	return parambackup.Close(data, key, o.kmsKey, sealed)
}
