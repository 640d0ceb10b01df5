package control

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

func baselineOperations() map[string]operation {
	return map[string]operation{
		"CreatePatchBaseline":                  recorded((*call).createPatchBaseline),
		"UpdatePatchBaseline":                  recorded((*call).updatePatchBaseline),
		"DeletePatchBaseline":                  recorded((*call).deletePatchBaseline),
		"GetPatchBaseline":                     recorded((*call).getPatchBaseline),
		"DescribePatchBaselines":               recorded((*call).describePatchBaselines),
		"GetDefaultPatchBaseline":              recorded((*call).getDefaultPatchBaseline),
		"RegisterDefaultPatchBaseline":         recorded((*call).registerDefaultPatchBaseline),
		"RegisterPatchBaselineForPatchGroup":   recorded((*call).registerPatchBaselineForPatchGroup),
		"DeregisterPatchBaselineForPatchGroup": recorded((*call).deregisterPatchBaselineForPatchGroup),
		"GetPatchBaselineForPatchGroup":        recorded((*call).getPatchBaselineForPatchGroup),
		"DescribePatchGroups":                  recorded((*call).describePatchGroups),
	}
}

// maxBaselines is how many baselines an account can have here; the real limit is
// a quota.
const maxBaselines = 50

// amazonBaselines are the names of the service's own baselines. For each
// operating system the first is the default until another is.
var amazonBaselines = []struct{ os, name string }{
	{"WINDOWS", "AWS-DefaultPatchBaseline"},
	{"WINDOWS", "AWS-WindowsPredefinedPatchBaseline-OS"},
	{"WINDOWS", "AWS-WindowsPredefinedPatchBaseline-OS-Applications"},
	{"AMAZON_LINUX", "AWS-AmazonLinuxDefaultPatchBaseline"},
	{"AMAZON_LINUX_2", "AWS-AmazonLinux2DefaultPatchBaseline"},
	{"AMAZON_LINUX_2022", "AWS-AmazonLinux2022DefaultPatchBaseline"},
	{"AMAZON_LINUX_2023", "AWS-AmazonLinux2023DefaultPatchBaseline"},
	{"UBUNTU", "AWS-UbuntuDefaultPatchBaseline"},
	{"REDHAT_ENTERPRISE_LINUX", "AWS-RedHatDefaultPatchBaseline"},
	{"SUSE", "AWS-SuseDefaultPatchBaseline"},
	{"CENTOS", "AWS-CentOSDefaultPatchBaseline"},
	{"ORACLE_LINUX", "AWS-OracleLinuxDefaultPatchBaseline"},
	{"DEBIAN", "AWS-DebianDefaultPatchBaseline"},
	{"MACOS", "AWS-MacOSDefaultPatchBaseline"},
	{"RASPBIAN", "AWS-RaspbianDefaultPatchBaseline"},
	{"ROCKY_LINUX", "AWS-RockyLinuxDefaultPatchBaseline"},
	{"ALMA_LINUX", "AWS-AlmaLinuxDefaultPatchBaseline"},
}

// amazonAccount stands for the account of the service's own baselines.
const amazonAccount = "075727635805"

// newBaseline is what a baseline has of which nothing is said.
func newBaseline(os string) world.Record {
	return world.Record{
		"OperatingSystem": os, "ApprovalRules": world.Record{"PatchRules": []any{}}, "GlobalFilters": world.Record{"PatchFilters": []any{}},
		"ApprovedPatches": []any{}, "RejectedPatches": []any{}, "Sources": []any{}, "RejectedPatchesAction": "ALLOW_AS_DEPENDENCY",
		"ApprovedPatchesComplianceLevel": "UNSPECIFIED", "ApprovedPatchesEnableNonSecurity": false,
	}
}

// predefined returns the service's own baselines.
func (c *call) predefined() []world.Record {
	var list []world.Record
	for _, b := range amazonBaselines {
		h := fnv.New64a()
		_, _ = h.Write([]byte(b.name))
		id := fmt.Sprintf("arn:aws:ssm:%s:%s:patchbaseline/pb-0%016x", c.world.Region(), amazonAccount, h.Sum64())
		severity := "SEVERITY"
		if b.os == "WINDOWS" {
			severity = "MSRC_SEVERITY"
		}
		rule := world.Record{
			"PatchFilterGroup": world.Record{"PatchFilters": []world.Record{
				{"Key": "CLASSIFICATION", "Values": []string{"Security"}}, {"Key": severity, "Values": []string{"Critical", "Important"}},
			}},
			"ComplianceLevel": "UNSPECIFIED", "ApproveAfterDays": 7, "EnableNonSecurity": false,
		}
		list = append(list, with(newBaseline(b.os), world.Record{
			"BaselineId": id, "Name": b.name, "Description": "Default patch baseline provided by AWS.",
			"ApprovalRules": world.Record{"PatchRules": []world.Record{rule}}, "amazon": true,
		}))
	}
	return list
}

// baselines returns all baselines, those of the account last.
func (c *call) baselines(t *world.Tables) []world.Record {
	return append(c.predefined(), t.All(world.KindBaseline)...)
}

// baseline finds one by its id or ARN.
func (c *call) baseline(t *world.Tables, id string) (world.Record, bool) {
	if _, own, ok := strings.Cut(id, ":"+c.world.Account()+":patchbaseline/"); ok {
		id = own
	}
	all := c.baselines(t)
	i := slices.IndexFunc(all, func(b world.Record) bool {
		full := textOf(b, "BaselineId")
		return full == id || strings.HasSuffix(full, "/"+id)
	})
	if i < 0 {
		return nil, false
	}
	return all[i], true
}

func noBaseline(id string) error { return missing("DoesNotExistException", "Patch baseline", id) }

func (c *call) createPatchBaseline(t *world.Tables, in request) (any, error) {
	tags, err := in.tags("Tags")
	if err != nil {
		return nil, err
	}
	return once(t, "CreatePatchBaseline", in, func() (any, error) {
		if len(t.All(world.KindBaseline)) >= maxBaselines {
			return nil, world.Errorf("ResourceLimitExceededException", "You can have at most %d patch baselines.", maxBaselines)
		}
		if err := checkRules(in); err != nil {
			return nil, err
		}
		id, now := world.NewHexID("pb-", 17), c.world.Now()
		b := with(with(newBaseline("WINDOWS"), in), world.Record{"BaselineId": id, "CreatedDate": now, "ModifiedDate": now, "tags": tags})
		t.Put(world.KindBaseline, id, b)
		return world.Record{"BaselineId": id}, nil
	})
}

// checkRules refuses approval rules that say when in no way or in two.
func checkRules(in request) error {
	for _, rule := range in.object("ApprovalRules").objects("PatchRules") {
		if rule.has("ApproveAfterDays") == rule.has("ApproveUntilDate") {
			return invalid("Each approval rule needs either ApproveAfterDays or ApproveUntilDate.")
		}
	}
	return nil
}

// updatePatchBaseline leaves what is not given as it is, or with Replace as it
// is when a baseline is made.
func (c *call) updatePatchBaseline(t *world.Tables, in request) (any, error) {
	old, ok := t.Get(world.KindBaseline, in.text("BaselineId"))
	if !ok {
		return nil, noBaseline(in.text("BaselineId"))
	}
	if err := checkRules(in); err != nil {
		return nil, err
	}
	change := with(in, world.Record{"ModifiedDate": c.world.Now(), "Replace": nil})
	if in.flag("Replace") {
		if !in.has("Name") {
			return nil, invalid("Name is required when Replace is true.")
		}
		change = with(with(newBaseline(textOf(old, "OperatingSystem")), world.Record{"Description": nil}), change)
	}
	return t.Change(world.KindBaseline, textOf(old, "BaselineId"), change), nil
}

func (c *call) deletePatchBaseline(t *world.Tables, in request) (any, error) {
	id := in.text("BaselineId")
	for _, g := range t.All(world.KindPatchGroup) {
		if textOf(g, "BaselineId") == id {
			return nil, world.Errorf("ResourceInUseException", "Patch baseline %s is registered for the patch group %s.", id, textOf(g, "PatchGroup"))
		}
	}
	for _, d := range t.All(world.KindDefaultBaseline) {
		if textOf(d, "BaselineId") == id {
			return nil, world.Errorf("ResourceInUseException", "Patch baseline %s is the default patch baseline.", id)
		}
	}
	t.Delete(world.KindBaseline, id) // the service says nothing when there is none
	return world.Record{"BaselineId": id}, nil
}

func (c *call) getPatchBaseline(t *world.Tables, in request) (any, error) {
	b, ok := c.baseline(t, in.text("BaselineId"))
	if !ok {
		return nil, noBaseline(in.text("BaselineId"))
	}
	groups := []any{}
	for _, g := range t.All(world.KindPatchGroup) {
		if g["BaselineId"] == b["BaselineId"] {
			groups = append(groups, g["PatchGroup"])
		}
	}
	return with(b, world.Record{"PatchGroups": groups}), nil
}

// defaultBaseline is the id of the default baseline of an operating system.
func (c *call) defaultBaseline(t *world.Tables, os string) string {
	if d, ok := t.Get(world.KindDefaultBaseline, os); ok {
		return textOf(d, "BaselineId")
	}
	for _, b := range c.predefined() {
		if b["OperatingSystem"] == os {
			return textOf(b, "BaselineId")
		}
	}
	return ""
}

func (c *call) identity(t *world.Tables, b world.Record) world.Record {
	return world.Record{
		"BaselineId": b["BaselineId"], "BaselineName": b["Name"], "OperatingSystem": b["OperatingSystem"], "BaselineDescription": b["Description"],
		"DefaultBaseline": c.defaultBaseline(t, textOf(b, "OperatingSystem")) == b["BaselineId"],
	}
}

func (c *call) describePatchBaselines(t *world.Tables, in request) (any, error) {
	list, err := sift(c.baselines(t), prefixed(in, "NAME_PREFIX"), "ValidationException", func(b world.Record, key string) ([]string, bool) {
		switch key {
		case "NAME_PREFIX":
			return []string{textOf(b, "Name")}, true
		case "OPERATING_SYSTEM":
			return []string{textOf(b, "OperatingSystem")}, true
		case "OWNER":
			if b["amazon"] == true {
				return []string{"AWS", "All"}, true
			}
			return []string{"Self", "All"}, true
		}
		return nil, false
	})
	if err != nil {
		return nil, err
	}
	for i, b := range list {
		list[i] = c.identity(t, b)
	}
	return c.listing("DescribePatchBaselines", "BaselineIdentities", "BaselineId", list, in, 100)
}

// prefixed reads the filters of patch operations, of which one kind is of
// prefixes.
func prefixed(in request, key string) []filter {
	list := in.filters("Filters", "Key", "Values", "")
	for i := range list {
		if list[i].key == key {
			list[i].operator = "BeginWith"
		}
	}
	return list
}

// osOf is the operating system that a request means.
func osOf(in request) string {
	if os := in.text("OperatingSystem"); os != "" {
		return os
	}
	return "WINDOWS"
}

func (c *call) getDefaultPatchBaseline(t *world.Tables, in request) (any, error) {
	os := osOf(in)
	return world.Record{"BaselineId": c.defaultBaseline(t, os), "OperatingSystem": os}, nil
}

func (c *call) registerDefaultPatchBaseline(t *world.Tables, in request) (any, error) {
	b, ok := c.baseline(t, in.text("BaselineId"))
	if !ok {
		return nil, noBaseline(in.text("BaselineId"))
	}
	t.Put(world.KindDefaultBaseline, textOf(b, "OperatingSystem"), world.Record{"BaselineId": b["BaselineId"]})
	return world.Record{"BaselineId": b["BaselineId"]}, nil
}

func (c *call) registerPatchBaselineForPatchGroup(t *world.Tables, in request) (any, error) {
	b, ok := c.baseline(t, in.text("BaselineId"))
	if !ok {
		return nil, noBaseline(in.text("BaselineId"))
	}
	group, os := in.text("PatchGroup"), textOf(b, "OperatingSystem")
	if old, ok := t.Get(world.KindPatchGroup, os+" "+group); ok {
		return nil, world.Errorf("AlreadyExistsException", "Patch group %s is registered with patch baseline %s already.", group, textOf(old, "BaselineId"))
	}
	r := world.Record{"BaselineId": b["BaselineId"], "PatchGroup": group, "OperatingSystem": os, "key": os + " " + group}
	t.Put(world.KindPatchGroup, os+" "+group, r)
	return r, nil
}

func (c *call) deregisterPatchBaselineForPatchGroup(t *world.Tables, in request) (any, error) {
	id, group := in.text("BaselineId"), in.text("PatchGroup")
	for _, g := range t.All(world.KindPatchGroup) {
		if textOf(g, "BaselineId") == id && textOf(g, "PatchGroup") == group {
			t.Delete(world.KindPatchGroup, textOf(g, "key"))
			return world.Record{"BaselineId": id, "PatchGroup": group}, nil
		}
	}
	return nil, world.Errorf("InvalidResourceId", "Patch group %s is not registered with patch baseline %s.", group, id)
}

func (c *call) getPatchBaselineForPatchGroup(t *world.Tables, in request) (any, error) {
	os, group := osOf(in), in.text("PatchGroup")
	return world.Record{"BaselineId": c.groupBaseline(t, os, group), "PatchGroup": group, "OperatingSystem": os}, nil
}

// groupBaseline is the baseline of a patch group, the default one when it has
// none.
func (c *call) groupBaseline(t *world.Tables, os, group string) string {
	if g, ok := t.Get(world.KindPatchGroup, os+" "+group); ok {
		return textOf(g, "BaselineId")
	}
	return c.defaultBaseline(t, os)
}

func (c *call) describePatchGroups(t *world.Tables, in request) (any, error) {
	list, err := sift(t.All(world.KindPatchGroup), prefixed(in, "NAME_PREFIX"), "ValidationException", func(g world.Record, key string) ([]string, bool) {
		switch key {
		case "NAME_PREFIX":
			return []string{textOf(g, "PatchGroup")}, true
		case "OPERATING_SYSTEM":
			return []string{textOf(g, "OperatingSystem")}, true
		}
		return nil, false
	})
	if err != nil {
		return nil, err
	}
	for i, g := range list {
		if b, ok := c.baseline(t, textOf(g, "BaselineId")); ok {
			list[i] = with(g, world.Record{"BaselineIdentity": c.identity(t, b)})
		}
	}
	return c.listing("DescribePatchGroups", "Mappings", "key", list, in, 100)
}
