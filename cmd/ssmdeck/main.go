// Command ssmdeck is the terminal for AWS Systems Manager.
package main

import (
	"os"

	"github.com/ssmdeck/ssmdeck/commands"
)

// Set by the release build.
var (
	version = "dev"
	commit  = ""
	date    = ""
)

func main() {
	os.Exit(commands.Main(commands.Build{Version: version, Commit: commit, Date: date}))
}
