package commands

import (
	"runtime"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

// versionInfo is the answer of `ssmdeck version`.
type versionInfo struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Date     string `json:"date,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	// Protocol is the client version told to agents, which decides the features
	// they switch on.
	Protocol string `json:"session_protocol"`
}

func newVersionCmd(env *cli.Env) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Show which ssmdeck this is",
		Example: "  $ ssmdeck version\n  $ ssmdeck version -o json",
		Args:    cli.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return showVersion(env) },
	}
}

func showVersion(env *cli.Env) error {
	o, err := env.RenderOptions()
	if err != nil {
		return err
	}
	v := versionInfo{
		Version: env.Build.Version, Commit: env.Build.Commit, Date: env.Build.Date,
		Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Protocol: sessionclient.ClientVersion,
	}
	return render.Object(env.Out, o, v, func(d *render.Detail) {
		d.Field("Version", v.Version)
		d.Field("Commit", v.Commit)
		d.Field("Date", v.Date)
		d.Field("Go", v.Go)
		d.Field("Platform", v.Platform)
		d.Field("Session protocol", v.Protocol)
	})
}
