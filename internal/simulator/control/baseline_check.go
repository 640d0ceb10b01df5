package control

import (
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
	for _, f := range filters {
		if err := patches.CheckFilter(os, patches.Filter{Key: f.text("Key"), Values: f.texts("Values")}); err != nil {
			return invalid(err.Error())
		}
	}
	return nil
}
