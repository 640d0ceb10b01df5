package patches

import "strconv"

func itoa(n int) string { return strconv.Itoa(n) }

// Predefined is a baseline that the service brings along.
type Predefined struct {
	System, Name, Description string
	Rules                     []Rule
}

// PredefinedBaselines are the service's own baselines (User Guide, "Viewing AWS
// predefined patch baselines"). The first of a system is its default until another
// is. None of them sets a compliance level.
func PredefinedBaselines() []Predefined {
	rule := func(days int, filters ...Filter) Rule {
		return Rule{Days: days, Level: "UNSPECIFIED", Filters: filters}
	}
	f := func(key string, values ...string) Filter { return Filter{key, values} }
	important := f("SEVERITY", "Critical", "Important")
	// Security by severity, and all of another class.
	classic := func(other string) []Rule {
		return []Rule{rule(7, f("PRODUCT", "*"), f("CLASSIFICATION", "Security"), important), rule(7, f("PRODUCT", "*"), f("CLASSIFICATION", other))}
	}
	severe := []Rule{rule(7, f("PRODUCT", "*"), f("CLASSIFICATION", "Security"), important)}
	everything := Rule{Days: 7, Level: "UNSPECIFIED", NonSecurity: true, Filters: []Filter{f("PRODUCT", "*")}}
	priorities := []Rule{rule(0, f("PRODUCT", "*"), f("PRIORITY", "Required", "Important", "Standard", "Optional", "Extra"))}
	windows := []Filter{f("PATCH_SET", "OS"), f("PRODUCT", "*"), f("CLASSIFICATION", "CriticalUpdates", "SecurityUpdates"), f("MSRC_SEVERITY", "Critical", "Important")}
	return []Predefined{
		{Windows, "AWS-DefaultPatchBaseline", "Default Patch Baseline Provided by AWS.", []Rule{rule(7, windows...)}},
		{Windows, "AWS-WindowsPredefinedPatchBaseline-OS", "Windows operating system updates.", []Rule{rule(7, windows...)}},
		{
			Windows, "AWS-WindowsPredefinedPatchBaseline-OS-Applications", "Windows operating system and Microsoft application updates.",
			[]Rule{rule(7, windows...), rule(7, f("PATCH_SET", "APPLICATION"), f("PRODUCT", "*"))},
		},
		{AmazonLinux, "AWS-AmazonLinuxDefaultPatchBaseline", "Default Patch Baseline for Amazon Linux Provided by AWS.", classic("Bugfix")},
		{AmazonLinux2, "AWS-AmazonLinux2DefaultPatchBaseline", "Default Patch Baseline for Amazon Linux 2 Provided by AWS.", classic("Bugfix")},
		{AmazonLinux2022, "AWS-AmazonLinux2022DefaultPatchBaseline", "Default Patch Baseline for Amazon Linux 2022 Provided by AWS.", classic("Bugfix")},
		{AmazonLinux2023, "AWS-AmazonLinux2023DefaultPatchBaseline", "Default Patch Baseline for Amazon Linux 2023 Provided by AWS.", classic("Bugfix")},
		{Ubuntu, "AWS-UbuntuDefaultPatchBaseline", "Default Patch Baseline for Ubuntu Provided by AWS.", priorities},
		{RedHat, "AWS-RedHatDefaultPatchBaseline", "Default Patch Baseline for Redhat Enterprise Linux Provided by AWS.", classic("Bugfix")},
		{Suse, "AWS-SuseDefaultPatchBaseline", "Default Patch Baseline for Suse Provided by AWS.", severe},
		{CentOS, "AWS-CentOSDefaultPatchBaseline", "Default Patch Baseline for CentOS Provided by AWS.", []Rule{everything}},
		{OracleLinux, "AWS-OracleLinuxDefaultPatchBaseline", "Default Patch Baseline for Oracle Linux Server Provided by AWS.", classic("Bugfix")},
		{Debian, "AWS-DebianDefaultPatchBaseline", "Default Patch Baseline for Debian Provided by AWS.", priorities},
		{MacOS, "AWS-MacOSDefaultPatchBaseline", "Default Patch Baseline for MacOS Provided by AWS.", []Rule{rule(0, f("PRODUCT", "*"), f("CLASSIFICATION", "Security"))}},
		{Raspbian, "AWS-RaspbianDefaultPatchBaseline", "Default Patch Baseline for Raspberry Pi OS Provided by AWS.", priorities},
		{RockyLinux, "AWS-RockyLinuxDefaultPatchBaseline", "Default Patch Baseline for Rocky Linux Provided by AWS.", classic("Bugfix")},
		{AlmaLinux, "AWS-AlmaLinuxDefaultPatchBaseline", "Default Patch Baseline for AlmaLinux Provided by AWS.", classic("Bugfix")},
	}
}
