package control

import (
	"net/url"
	"slices"
)

// optInRegions are some of those that no account has until it asks for them;
// DescribeRegions shows them with AllRegions.
var optInRegions = []string{"af-south-1", "ap-east-1", "eu-south-1", "me-south-1"}

type regionState struct{ name, status string }

func (c *call) describeRegions(form url.Values) ([]element, error) {
	f, err := filtersOf(form, "region-name", "endpoint", "opt-in-status")
	if err != nil {
		return nil, err
	}
	enabled := c.account.EnabledRegions(c.world.Account())
	var all []regionState
	for _, name := range enabled {
		status := "opt-in-not-required"
		if slices.Contains(optInRegions, name) {
			status = "opted-in"
		}
		all = append(all, regionState{name, status})
	}
	asked := numbered(form, "RegionName.")
	for _, name := range optInRegions {
		if !slices.Contains(enabled, name) && (form.Get("AllRegions") == "true" || slices.Contains(asked, name)) {
			all = append(all, regionState{name, "not-opted-in"})
		}
	}
	for _, name := range asked {
		if !slices.ContainsFunc(all, func(r regionState) bool { return r.name == name }) {
			return nil, &apiError{Code: "InvalidParameterValue", Message: "Invalid region name '" + name + "'"}
		}
	}
	all = slices.DeleteFunc(all, func(r regionState) bool {
		return len(asked) > 0 && !slices.Contains(asked, r.name) || !f.match(func(name string) []string {
			return map[string][]string{"region-name": {r.name}, "endpoint": {ec2Endpoint(r.name)}, "opt-in-status": {r.status}}[name]
		})
	})
	return []element{list("regionInfo", all, func(r regionState) element {
		return el("item", leaf("regionName", r.name), leaf("regionEndpoint", ec2Endpoint(r.name)), leaf("optInStatus", r.status))
	})}, nil
}

func ec2Endpoint(region string) string { return "ec2." + region + ".amazonaws.com" }
