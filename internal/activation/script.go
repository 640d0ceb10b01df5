package activation

import (
	_ "embed" // the scripts
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// The scripts follow the instructions of the User Guide ("Install SSM Agent on
// hybrid nodes"); what stands between @ signs is filled in.
var (
	//go:embed scripts/linux.sh
	linuxScript string
	//go:embed scripts/macos.sh
	macosScript string
	//go:embed scripts/windows.ps1
	windowsScript string
)

// platforms are the systems there are scripts for. Raspberry Pi OS is a Linux
// like others: the script finds its architecture.
var platforms = map[string]struct {
	text  *string
	quote func(string) string
}{
	"linux":    {&linuxScript, quoteShell},
	"raspbian": {&linuxScript, quoteShell},
	"macos":    {&macosScript, quoteShell},
	"windows":  {&windowsScript, quotePowerShell},
}

// Platforms returns the names that Script takes.
func Platforms() []string { return []string{"linux", "windows", "macos", "raspbian"} }

// CheckPlatform returns a Usage error for a platform without a script.
func CheckPlatform(platform string) error {
	if !slices.Contains(Platforms(), platform) {
		return fault.Usagef("--install-script %q is not a platform", platform).WithHint("there are scripts for %s", strings.Join(Platforms(), ", "))
	}
	return nil
}

// Script returns the script that installs the agent on a platform and registers
// it. It holds the code.
func Script(platform, region string, c Created) (string, error) {
	if err := CheckPlatform(platform); err != nil {
		return "", err
	}
	p := platforms[platform]
	machines := "one machine"
	if c.Limit != 1 {
		machines = "up to " + strconv.Itoa(c.Limit) + " machines"
	}
	return strings.NewReplacer(
		"@ID@", c.ID, "@REGION@", region, "@LIMIT@", machines, "@EXPIRES@", c.Expires.UTC().Format(time.RFC3339),
		"@ID_QUOTED@", p.quote(c.ID), "@CODE_QUOTED@", p.quote(c.Code), "@REGION_QUOTED@", p.quote(region),
		"@DOMAIN@", domain(region),
	).Replace(*p.text), nil
}

// domain is that of the partition a Region is in.
func domain(region string) string {
	for prefix, d := range map[string]string{
		"cn-": "amazonaws.com.cn", "us-iso-": "c2s.ic.gov", "us-isob-": "sc2s.sgov.gov", "us-isof-": "csp.hci.ic.gov",
		"eu-isoe-": "cloud.adc-e.uk", "eusc-": "amazonaws.eu",
	} {
		if strings.HasPrefix(region, prefix) {
			return d
		}
	}
	return "amazonaws.com"
}

// quoteShell writes a text as one word of a POSIX shell.
func quoteShell(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// quotePowerShell writes a text as a literal of PowerShell. Its four curly
// quotes end a literal as well as the straight one.
func quotePowerShell(s string) string {
	return "'" + strings.NewReplacer("'", "''", "\u2018", "\u2018\u2018", "\u2019", "\u2019\u2019", "\u201a", "\u201a\u201a", "\u201b", "\u201b\u201b").Replace(s) + "'"
}
