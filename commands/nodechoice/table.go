package nodechoice

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/levels"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// Unknown stands for what could not be read.
const Unknown = "unknown"

// Column is a column of a table of nodes.
type Column = render.Column[fleet.Node]

// Table is the fleet as people and pipes see it.
func Table(o render.Options) render.Table[fleet.Node] { return FleetTable(o, 0) }

// FleetTable is Table with the columns of some parts shown, too.
func FleetTable(o render.Options, with fleet.Part) render.Table[fleet.Node] {
	cols := []Column{
		{
			Name: "PING", Text: func(n fleet.Node) string { return n.Ping },
			Human: func(n fleet.Node) string { return o.Styles.Status(levels.Ping(n.Ping), n.Ping) },
		},
		{Name: "NODE ID", ID: true, Text: func(n fleet.Node) string { return n.ID }},
		{Name: "NAME", Text: func(n fleet.Node) string { return n.Name }},
		{Name: "PLATFORM", Text: func(n fleet.Node) string { return strings.TrimSpace(n.PlatformName + " " + n.PlatformVersion) }},
		{Name: "AGENT", Text: func(n fleet.Node) string { return n.AgentVersion }},
		{Name: "IP", Text: func(n fleet.Node) string { return n.IP }},
		momentColumn(o, "LAST PING", 0, func(n fleet.Node) time.Time { return n.LastPing }),
		{Name: "COMPUTER NAME", Wide: true, Text: func(n fleet.Node) string { return n.ComputerName }},
		{Name: "TYPE", Wide: true, Text: func(n fleet.Node) string { return n.ResourceType }},
		{Name: "INSTANCE TYPE", Wide: true, Text: func(n fleet.Node) string { return n.InstanceType }},
		{Name: "ROLE", Wide: true, Text: func(n fleet.Node) string { return n.IAMRole }},
		{
			Name: "ASSOCIATION", Wide: true, Text: func(n fleet.Node) string { return n.AssociationStatus },
			Human: func(n fleet.Node) string { return AssociationWord(o, n.AssociationStatus) },
		},
	}
	cols = append(cols, ec2Columns(o)...)
	cols = append(cols, partColumn(o, "TAGS", fleet.PartTags, func(n fleet.Node) string { return TagText(n.Tags) }))
	cols = append(cols, patchColumns(o)...)
	for i := range cols {
		switch partOf(cols[i].Name) {
		case 0:
			continue
		case fleet.PartEC2:
			cols[i].Wide = true
		default:
			cols[i].Asked = true
		}
		if partOf(cols[i].Name)&with != 0 && cols[i].Name != "SUBNET" && cols[i].Name != "IMAGE" {
			cols[i].Wide, cols[i].Asked = false, false
		}
	}
	for _, key := range askedTags(o) {
		cols = append(cols, tagColumn(o, key))
	}
	return render.Table[fleet.Node]{
		ID:    func(n fleet.Node) string { return n.ID },
		Empty: "no managed nodes match", Columns: cols,
	}
}

// AssociationWord is the state of a node's associations for people; "" when there is none.
func AssociationWord(o render.Options, status string) string {
	if status == "" {
		return ""
	}
	return o.Styles.Status(levels.Association(status), render.Visible(status))
}

func ec2Columns(o render.Options) []Column {
	return []Column{
		partColumn(o, "STATE", fleet.PartEC2, func(n fleet.Node) string { return n.State }),
		partColumn(o, "AZ", fleet.PartEC2, func(n fleet.Node) string { return n.AZ }),
		partColumn(o, "VPC", fleet.PartEC2, func(n fleet.Node) string { return n.VPC }),
		partColumn(o, "SUBNET", fleet.PartEC2, func(n fleet.Node) string { return n.Subnet }),
		partColumn(o, "IMAGE", fleet.PartEC2, func(n fleet.Node) string { return n.Image }),
		momentColumn(o, "LAUNCHED", fleet.PartEC2, func(n fleet.Node) time.Time { return n.Launched }),
	}
}

func patchColumns(o render.Options) []Column {
	number := func(name string, of func(*fleet.PatchState) int) Column {
		c := partColumn(o, name, fleet.PartPatch, func(n fleet.Node) string {
			if n.Patch == nil {
				return ""
			}
			return strconv.Itoa(of(n.Patch))
		})
		c.Right = true
		return c
	}
	return []Column{
		number("MISSING", func(p *fleet.PatchState) int { return p.Missing }),
		number("FAILED", func(p *fleet.PatchState) int { return p.Failed }),
		number("PENDING REBOOT", func(p *fleet.PatchState) int { return p.PendingReboot }),
		number("CRITICAL", func(p *fleet.PatchState) int { return p.Critical }),
		number("SECURITY", func(p *fleet.PatchState) int { return p.Security }),
		momentColumn(o, "PATCHED", fleet.PartPatch, func(n fleet.Node) time.Time {
			if n.Patch == nil {
				return time.Time{}
			}
			return n.Patch.Ended
		}),
	}
}

// columnParts are the columns that a list of nodes does not fill by itself.
var columnParts = map[string]fleet.Part{
	"STATE": fleet.PartEC2, "AZ": fleet.PartEC2, "VPC": fleet.PartEC2, "SUBNET": fleet.PartEC2, "IMAGE": fleet.PartEC2, "LAUNCHED": fleet.PartEC2,
	"TAGS":    fleet.PartTags,
	"MISSING": fleet.PartPatch, "FAILED": fleet.PartPatch, "PENDING REBOOT": fleet.PartPatch, "CRITICAL": fleet.PartPatch,
	"SECURITY": fleet.PartPatch, "PATCHED": fleet.PartPatch,
}

func partOf(column string) fleet.Part { return columnParts[column] }

// NeededParts are the parts that the output asks for.
func NeededParts(o render.Options) fleet.Part {
	var parts fleet.Part
	switch o.Format {
	case render.FormatWide, render.FormatCSV, render.FormatJSON, render.FormatJSONL, render.FormatYAML:
		if len(o.Columns) == 0 {
			parts = fleet.PartEC2
		}
	}
	for _, name := range append(slices.Clone(o.Columns), strings.TrimPrefix(o.SortBy, "-")) {
		name = strings.ToUpper(strings.NewReplacer("_", " ", "-", " ").Replace(strings.TrimSpace(name)))
		p := partOf(name)
		if strings.HasPrefix(name, "TAG:") || p == fleet.PartTags {
			p = fleet.PartEC2 | fleet.PartTags
		}
		parts |= p
	}
	return parts
}

// askedTags are the keys of the columns tag:KEY that are asked for.
func askedTags(o render.Options) []string {
	var keys []string
	for _, name := range append(slices.Clone(o.Columns), strings.TrimPrefix(o.SortBy, "-")) {
		if key, ok := strings.CutPrefix(strings.TrimSpace(name), "tag:"); ok && key != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

func tagColumn(o render.Options, key string) Column {
	c := partColumn(o, "tag:"+key, fleet.PartTags, func(n fleet.Node) string { return n.Tags[key] })
	c.Asked = true
	return c
}

// partColumn is a column of a part, which may be unknown. Tags of instances come
// with EC2.
func partColumn(o render.Options, name string, part fleet.Part, text func(fleet.Node) string) Column {
	lacks := func(n fleet.Node) bool { return Lacks(n, part) }
	return Column{
		Name: name,
		Text: func(n fleet.Node) string {
			if lacks(n) {
				return Unknown
			}
			return text(n)
		},
		Human: func(n fleet.Node) string {
			if lacks(n) {
				return o.Styles.Dim.Render(Unknown)
			}
			return render.Visible(text(n))
		},
	}
}

// Lacks reports whether a part of what is known of n could not be read; tags of instances
// come with what EC2 knows.
func Lacks(n fleet.Node, part fleet.Part) bool {
	return n.Lacks(part) || part == fleet.PartTags && n.Lacks(fleet.PartEC2)
}

func momentColumn(o render.Options, name string, part fleet.Part, at func(fleet.Node) time.Time) Column {
	return Column{
		Name: name,
		Text: func(n fleet.Node) string {
			if Lacks(n, part) {
				return Unknown
			}
			return render.Timestamp(at(n))
		},
		Human: func(n fleet.Node) string {
			if Lacks(n, part) {
				return o.Styles.Dim.Render(Unknown)
			}
			return render.Ago(o.Now, at(n))
		},
		Less: func(a, b fleet.Node) bool { return at(a).Before(at(b)) },
	}
}

// TagText writes tags as KEY=VALUE, sorted; those that AWS makes come last.
func TagText(tags map[string]string) string {
	var own, aws []string
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		if strings.HasPrefix(k, "aws:") {
			aws = append(aws, k+"="+tags[k])
		} else {
			own = append(own, k+"="+tags[k])
		}
	}
	return strings.Join(append(own, aws...), " ")
}

// UnmanagedTable is the table of instances that Systems Manager does not know.
func UnmanagedTable(o render.Options) render.Table[fleet.Node] {
	cols := []Column{
		{Name: "NODE ID", ID: true, Text: func(n fleet.Node) string { return n.ID }},
		{Name: "NAME", Text: func(n fleet.Node) string { return n.Name }},
		{Name: "STATE", Text: func(n fleet.Node) string { return n.State }},
		{Name: "INSTANCE TYPE", Text: func(n fleet.Node) string { return n.InstanceType }},
		{Name: "IP", Text: func(n fleet.Node) string { return n.IP }},
		{Name: "AZ", Text: func(n fleet.Node) string { return n.AZ }},
		{Name: "VPC", Text: func(n fleet.Node) string { return n.VPC }},
		momentColumn(o, "LAUNCHED", 0, func(n fleet.Node) time.Time { return n.Launched }),
		{Name: "PLATFORM", Wide: true, Text: func(n fleet.Node) string { return n.Platform }},
		{Name: "SUBNET", Wide: true, Text: func(n fleet.Node) string { return n.Subnet }},
		{Name: "IMAGE", Wide: true, Text: func(n fleet.Node) string { return n.Image }},
		{Name: "TAGS", Wide: true, Text: func(n fleet.Node) string { return TagText(n.Tags) }},
	}
	for _, key := range askedTags(o) {
		cols = append(cols, tagColumn(o, key))
	}
	return render.Table[fleet.Node]{
		ID:    func(n fleet.Node) string { return n.ID },
		Empty: "no running instance is unknown to Systems Manager", Columns: cols,
	}
}
