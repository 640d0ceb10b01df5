package control

import (
	"maps"

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

// baseline finds one by its id or ARN.
func (c *call) baseline(t *world.Tables, id string) (world.Record, bool) {
	return c.world.Baseline(t, id)
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
		if err := checkBaseline(in, osOf(in)); err != nil {
			return nil, err
		}
		id, now := world.NewHexID("pb-", 17), c.world.Now()
		b := with(with(world.NewBaseline("WINDOWS"), in), world.Record{"BaselineId": id, "CreatedDate": now, "ModifiedDate": now, "tags": tags})
		c.world.PutBaseline(t, id, b)
		return world.Record{"BaselineId": id}, nil
	})
}

// updatePatchBaseline leaves what is not given as it is, or with Replace as it
// is when a baseline is made.
func (c *call) updatePatchBaseline(t *world.Tables, in request) (any, error) {
	old, ok := c.baseline(t, in.text("BaselineId"))
	if !ok {
		return nil, noBaseline(in.text("BaselineId"))
	}
	if old["amazon"] == true {
		return nil, errAmazons(old)
	}
	if err := checkBaseline(in, textOf(old, "OperatingSystem")); err != nil {
		return nil, err
	}
	id := textOf(old, "BaselineId")
	change := with(in, world.Record{"BaselineId": id, "ModifiedDate": c.world.Now(), "Replace": nil})
	if in.flag("Replace") {
		if !in.has("Name") {
			return nil, invalid("Name is required when Replace is true.")
		}
		change = with(with(world.NewBaseline(textOf(old, "OperatingSystem")), world.Record{"Description": nil}), change)
	}
	c.world.PutBaseline(t, id, maps.Clone(t.Change(world.KindBaseline, id, change)))
	next, _ := t.Get(world.KindBaseline, id)
	return next, nil
}

// errAmazons is the error of who would change a baseline of the service.
func errAmazons(b world.Record) error {
	return invalid("Patch baseline " + textOf(b, "BaselineId") + " is provided by AWS and cannot be changed or deleted.")
}

// deletePatchBaseline says nothing when there is none, as the service does.
func (c *call) deletePatchBaseline(t *world.Tables, in request) (any, error) {
	b, ok := c.baseline(t, in.text("BaselineId"))
	switch {
	case !ok:
		return in.take("BaselineId"), nil
	case b["amazon"] == true:
		return nil, errAmazons(b)
	}
	id := textOf(b, "BaselineId")
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
	t.Delete(world.KindBaseline, id)
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

func (c *call) identity(t *world.Tables, b world.Record) world.Record {
	return world.Record{
		"BaselineId": b["BaselineId"], "BaselineName": b["Name"], "OperatingSystem": b["OperatingSystem"], "BaselineDescription": b["Description"],
		"DefaultBaseline": c.world.DefaultBaseline(t, textOf(b, "OperatingSystem")) == b["BaselineId"],
	}
}

func (c *call) describePatchBaselines(t *world.Tables, in request) (any, error) {
	list, err := sift(c.world.Baselines(t), prefixed(in, "NAME_PREFIX"), "ValidationException", func(b world.Record, key string) ([]string, bool) {
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
	return world.Record{"BaselineId": c.world.DefaultBaseline(t, os), "OperatingSystem": os}, nil
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
	if b, ok := c.baseline(t, id); ok {
		id = textOf(b, "BaselineId")
	}
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
	return world.Record{"BaselineId": c.world.GroupBaseline(t, os, group), "PatchGroup": group, "OperatingSystem": os}, nil
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
