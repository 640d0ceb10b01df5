package baseline

import (
	"slices"
	"strings"
)

// system is what is documented of the patches of an operating system: the
// properties that filters may name (API reference, PatchFilter), and their values
// (User Guide, "Patch baselines"; DescribePatchProperties).
type system struct {
	os, name string
	family   family
	keys     []string
	values   map[string][]string // of a key; a key without them takes anything
	// products begin the names of products, and a version follows: new versions
	// appear without our knowing. An empty list takes anything.
	products []string
	example  string // of a product
	predef   string // the name of the service's own baseline that is its first default
}

// family is how the patches of a system are described and named.
type family int

const (
	windows family = iota
	rpm            // notices in updateinfo.xml; names with epoch, version, release
	zypper         // patches have names of their own
	deb            // priority and section; no dates that can be relied on
	mac
)

var (
	keysWindows = []string{"PATCH_SET", "PRODUCT", "PRODUCT_FAMILY", "CLASSIFICATION", "MSRC_SEVERITY"}
	keysNotices = []string{"PRODUCT", "CLASSIFICATION", "SEVERITY"}
	keysDeb     = []string{"PRODUCT", "PRIORITY", "SECTION"}

	classes    = []string{"Security", "Bugfix", "Enhancement", "Recommended", "Newpackage"}
	priorities = map[string][]string{"PRIORITY": {"Required", "Important", "Standard", "Optional", "Extra"}}
	amazon     = map[string][]string{"CLASSIFICATION": classes, "SEVERITY": {"Critical", "Important", "Medium", "Low"}}
	redHat     = map[string][]string{"CLASSIFICATION": classes, "SEVERITY": {"Critical", "Important", "Moderate", "Low", "None"}}
)

var systems = []system{
	{
		os: "WINDOWS", name: "Windows Server", family: windows, keys: keysWindows, example: "WindowsServer2022", predef: "AWS-DefaultPatchBaseline",
		values: map[string][]string{
			"PATCH_SET": {"OS", "APPLICATION"},
			"CLASSIFICATION": {
				"CriticalUpdates", "SecurityUpdates", "DefinitionUpdates", "Drivers", "FeaturePacks", "ServicePacks", "Tools", "UpdateRollups", "Updates", "Upgrades",
			},
			"MSRC_SEVERITY": {"Critical", "Important", "Moderate", "Low", "Unspecified"},
		},
	},
	{
		os: "AMAZON_LINUX", name: "Amazon Linux 1", family: rpm, keys: keysNotices, values: amazon, products: []string{"AmazonLinux"},
		example: "AmazonLinux2018.03", predef: "AWS-AmazonLinuxDefaultPatchBaseline",
	},
	{
		os: "AMAZON_LINUX_2", name: "Amazon Linux 2", family: rpm, keys: keysNotices, values: amazon, products: []string{"AmazonLinux"},
		example: "AmazonLinux2", predef: "AWS-AmazonLinux2DefaultPatchBaseline",
	},
	{
		os: "AMAZON_LINUX_2022", name: "Amazon Linux 2022", family: rpm, keys: keysNotices, values: amazon, products: []string{"AmazonLinux"},
		example: "AmazonLinux2022", predef: "AWS-AmazonLinux2022DefaultPatchBaseline",
	},
	{
		os: "AMAZON_LINUX_2023", name: "Amazon Linux 2023", family: rpm, keys: keysNotices, values: amazon, products: []string{"AmazonLinux"},
		example: "AmazonLinux2023", predef: "AWS-AmazonLinux2023DefaultPatchBaseline",
	},
	{
		os: "UBUNTU", name: "Ubuntu Server", family: deb, keys: keysDeb, values: priorities, products: []string{"Ubuntu"},
		example: "Ubuntu24.04", predef: "AWS-UbuntuDefaultPatchBaseline",
	},
	{
		os: "REDHAT_ENTERPRISE_LINUX", name: "Red Hat Enterprise Linux", family: rpm, keys: keysNotices, values: redHat, products: []string{"RedhatEnterpriseLinux"},
		example: "RedhatEnterpriseLinux9.4", predef: "AWS-RedHatDefaultPatchBaseline",
	},
	{
		os: "SUSE", name: "SUSE Linux Enterprise Server", family: zypper, keys: keysNotices, products: []string{"Suse"},
		example: "Suse15.5", predef: "AWS-SuseDefaultPatchBaseline",
		values: map[string][]string{
			"CLASSIFICATION": {"Security", "Recommended", "Optional", "Feature", "Document", "Yast"},
			"SEVERITY":       {"Critical", "Important", "Moderate", "Low"},
		},
	},
	{
		os: "CENTOS", name: "CentOS", family: rpm, keys: keysNotices, values: redHat, products: []string{"CentOS", "CentOSStream"},
		example: "CentOS7.9", predef: "AWS-CentOSDefaultPatchBaseline",
	},
	{
		os: "ORACLE_LINUX", name: "Oracle Linux", family: rpm, keys: keysNotices, values: redHat, products: []string{"OracleLinux"},
		example: "OracleLinux9.3", predef: "AWS-OracleLinuxDefaultPatchBaseline",
	},
	{
		os: "DEBIAN", name: "Debian Server", family: deb, keys: keysDeb, values: priorities, products: []string{"Debian"},
		example: "Debian12", predef: "AWS-DebianDefaultPatchBaseline",
	},
	{
		os: "MACOS", name: "macOS", family: mac, keys: []string{"PRODUCT", "CLASSIFICATION"}, products: []string{"macOS"},
		example: "macOS14.5", predef: "AWS-MacOSDefaultPatchBaseline",
		values: map[string][]string{"CLASSIFICATION": {"Security", "Recommended", "Bugfix", "Enhancement", "Newpackage"}},
	},
	{
		os: "RASPBIAN", name: "Raspberry Pi OS", family: deb, keys: keysDeb, values: priorities,
		example: "RaspberryPiOS11", predef: "AWS-RaspbianDefaultPatchBaseline",
	},
	{
		os: "ROCKY_LINUX", name: "Rocky Linux", family: rpm, keys: keysNotices, values: redHat, products: []string{"RockyLinux"},
		example: "RockyLinux9.4", predef: "AWS-RockyLinuxDefaultPatchBaseline",
	},
	{
		os: "ALMA_LINUX", name: "AlmaLinux", family: rpm, keys: keysNotices, values: redHat, products: []string{"AlmaLinux"},
		example: "AlmaLinux9.4", predef: "AWS-AlmaLinuxDefaultPatchBaseline",
	},
}

// Systems returns the operating systems that have baselines, as the API writes
// them.
func Systems() []string {
	out := make([]string, len(systems))
	for i := range systems {
		out[i] = systems[i].os
	}
	return out
}

// systemOf returns what is known of an operating system, nil for one that the
// service has and we do not know.
func systemOf(os string) *system {
	i := slices.IndexFunc(systems, func(s system) bool { return s.os == os })
	if i < 0 {
		return nil
	}
	return &systems[i]
}

// SystemName is the operating system in words: "Amazon Linux 2023".
func SystemName(os string) string {
	if s := systemOf(os); s != nil {
		return s.name
	}
	return os
}

// Predefined is the name of the service's own baseline that is the default of an
// operating system until another is; empty for a system that is not known.
func Predefined(os string) string {
	if s := systemOf(os); s != nil {
		return s.predef
	}
	return ""
}

// Keys returns the filters that baselines of an operating system may have.
func Keys(os string) []string {
	if s := systemOf(os); s != nil {
		return s.keys
	}
	return nil
}

// Values returns the documented values of a filter, none where anything goes.
func Values(os, key string) []string {
	if s := systemOf(os); s != nil {
		return s.values[key]
	}
	return nil
}

// NodeOS is the operating system of a node, as baselines name it, from what its
// agent reports: platform linux, windows or macos, name "Amazon Linux", version
// "2023". It is empty for a system without baselines.
func NodeOS(platform, name, version string) string {
	lower := strings.ToLower(name)
	switch {
	case platform == "windows":
		return "WINDOWS"
	case platform == "macos":
		return "MACOS"
	case strings.Contains(lower, "amazon linux"):
		switch v := strings.TrimSpace(version); {
		case strings.HasPrefix(v, "2023"), strings.HasPrefix(v, "2022"):
			return "AMAZON_LINUX_" + v[:4]
		case v == "2" || strings.HasPrefix(v, "2."):
			return "AMAZON_LINUX_2"
		case strings.HasPrefix(v, "201"):
			return "AMAZON_LINUX"
		}
		return ""
	}
	for _, w := range []struct{ word, os string }{
		{"ubuntu", "UBUNTU"},
		{"red hat", "REDHAT_ENTERPRISE_LINUX"},
		{"suse", "SUSE"},
		{"sles", "SUSE"},
		{"centos", "CENTOS"},
		{"oracle", "ORACLE_LINUX"},
		{"raspbian", "RASPBIAN"},
		{"raspberry", "RASPBIAN"},
		{"debian", "DEBIAN"},
		{"rocky", "ROCKY_LINUX"},
		{"alma", "ALMA_LINUX"},
	} {
		if strings.Contains(lower, w.word) {
			return w.os
		}
	}
	return ""
}

// NodeProduct is the product of a node, as filters name it: "WindowsServer2022",
// "RedhatEnterpriseLinux9.4". It is empty where it does not follow from what the
// agent reports.
func NodeProduct(os, name, version string) string {
	version = strings.TrimSpace(version)
	switch s := systemOf(os); {
	case s == nil:
		return ""
	case os == "WINDOWS":
		at := strings.Index(name, "20")
		if at < 0 || len(name) < at+4 || strings.Trim(name[at:at+4], "0123456789") != "" {
			return ""
		}
		product := "WindowsServer" + name[at:at+4]
		if strings.HasPrefix(strings.TrimSpace(name[at+4:]), "R2") {
			product += "R2"
		}
		return product
	case strings.HasPrefix(os, "AMAZON_LINUX_"):
		return "AmazonLinux" + strings.TrimPrefix(os, "AMAZON_LINUX_")
	case version == "" || len(s.products) == 0:
		return ""
	case os == "DEBIAN":
		major, _, _ := strings.Cut(version, ".")
		return s.products[0] + major
	case os == "MACOS":
		return s.products[0] + version
	default:
		parts := strings.SplitN(version, ".", 3)
		return s.products[0] + strings.Join(parts[:min(2, len(parts))], ".")
	}
}
