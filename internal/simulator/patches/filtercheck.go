package patches

import (
	"fmt"
	"slices"
	"strings"
)

// CheckFilter refuses a filter that no patch of a system can match: of a property
// that its patches do not have, or with a value that nothing can have. The message is
// a sentence, as the service answers it.
func CheckFilter(system string, f Filter) error {
	values, ok := Values(system)[f.Key]
	if !ok && f.Key != "PRODUCT" {
		return fmt.Errorf("Patch filter key %s is not valid for operating system %s.", f.Key, system)
	}
	for _, v := range f.Values {
		switch {
		case v == "*", f.Key == "SECTION", f.Key == "PRODUCT_FAMILY":
		case f.Key == "PRODUCT" && !isProduct(system, v), f.Key != "PRODUCT" && !slices.Contains(values, v):
			return fmt.Errorf("Value %s is not valid for patch filter key %s and operating system %s.", v, f.Key, system)
		}
	}
	return nil
}

// productNames are how the products of a system begin: there are more of them in
// the service than there are patches for here.
var productNames = map[string][]string{
	Windows: {
		"Windows", "Office", "SQL Server", "Microsoft", "Active Directory", "Exchange", "Visual Studio", "Skype", "System Center", "ASP.NET", "Azure",
		"PowerShell", ".NET", "Developer Tools",
	},
	RedHat:      {"RedhatEnterpriseLinux", "RedHatEnterpriseLinux"},
	AmazonLinux: {"AmazonLinux201"},
	Raspbian:    {"Raspbian", "RaspberryPiOS"},
	MacOS:       {"macOS"},
}

func isProduct(system, name string) bool {
	begins := productNames[system]
	if begins == nil {
		for _, p := range Products(system) {
			begins = append(begins, strings.TrimRight(p.Name, "0123456789."))
		}
	}
	return slices.ContainsFunc(begins, func(b string) bool { return strings.HasPrefix(name, b) })
}
