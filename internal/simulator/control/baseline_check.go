package control

import (
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/patches"
)

// checkBaseline refuses what the service refuses in a baseline of an operating
// system: rules that say when in no way or in two, properties that its patches do
// not have, values that nothing can have.
func checkBaseline(in request, os string) error {
	for _, rule := range in.object("ApprovalRules").objects("PatchRules") {
		if rule.has("ApproveAfterDays") == rule.has("ApproveUntilDate") {
			return invalid("Each approval rule needs either ApproveAfterDays or ApproveUntilDate.")
		}
		if date := rule.text("ApproveUntilDate"); date != "" {
			if _, err := time.Parse(time.DateOnly, date); err != nil {
				return invalid("ApproveUntilDate " + date + " is not a date in the format YYYY-MM-DD.")
			}
		}
		filters := rule.object("PatchFilterGroup").objects("PatchFilters")
		if len(filters) == 0 {
			return invalid("Each approval rule needs at least one patch filter.")
		}
		if err := checkFilters(filters, os); err != nil {
			return err
		}
	}
	return checkFilters(in.object("GlobalFilters").objects("PatchFilters"), os)
}

func checkFilters(filters []request, os string) error {
	known := patches.Values(os)
	for _, f := range filters {
		key := f.text("Key")
		values, ok := known[key]
		if !ok && key != "PRODUCT" {
			return invalid("Patch filter key " + key + " is not valid for operating system " + os + ".")
		}
		for _, v := range f.texts("Values") {
			switch {
			case v == "*", key == "SECTION", key == "PRODUCT_FAMILY":
			case key == "PRODUCT" && !isProduct(os, v), key != "PRODUCT" && !slices.Contains(values, v):
				return invalid("Value " + v + " is not valid for patch filter key " + key + " and operating system " + os + ".")
			}
		}
	}
	return nil
}

// productNames are how the products of a system begin: there are more of them in
// the service than there are patches for here.
var productNames = map[string][]string{
	patches.Windows: {
		"Windows", "Office", "SQL Server", "Microsoft", "Active Directory", "Exchange", "Visual Studio", "Skype", "System Center", "ASP.NET", "Azure",
		"PowerShell", ".NET", "Developer Tools",
	},
	patches.RedHat:      {"RedhatEnterpriseLinux", "RedHatEnterpriseLinux"},
	patches.AmazonLinux: {"AmazonLinux201"},
	patches.Raspbian:    {"Raspbian", "RaspberryPiOS"},
	patches.MacOS:       {"macOS"},
}

func isProduct(os, name string) bool {
	begins := productNames[os]
	if begins == nil {
		for _, p := range patches.Products(os) {
			begins = append(begins, strings.TrimRight(p.Name, "0123456789."))
		}
	}
	return slices.ContainsFunc(begins, func(b string) bool { return strings.HasPrefix(name, b) })
}
