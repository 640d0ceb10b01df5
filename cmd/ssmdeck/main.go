// Command ssmdeck is the terminal for AWS Systems Manager.
package main

import (
	"os"

	"github.com/ssmdeck/ssmdeck/commands"
	"github.com/ssmdeck/ssmdeck/commands/cli"
)

// Set by the release build.
var (
	version = "dev"
	commit  = ""
	date    = ""
)

func main() {
	os.Exit(commands.Main(cli.Build{Version: version, Commit: commit, Date: date}))
}
