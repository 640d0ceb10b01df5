package rawapi

import (
	"slices"
	"strings"
	"sync"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Operation is one of the API's operations. It is never changed after it was
// made and may be used by several goroutines.
type Operation struct {
	Name   string // "SendCommand"
	Kebab  string // "send-command", as the AWS CLI spells it
	Family string // "command", "maintenance-window", …

	Writes      bool
	Destructive bool // overwrites, removes, stops, or runs something on nodes

	// Commands are what people type for it: "document create". None when there is
	// `ssmdeck api` only.
	Commands []string
	Note     string // what is worth knowing before calling it, "" for nothing
	Fields   []Field

	// Items are the paths of the lists in the answer that go on from page to page;
	// none when the operation has no pages. All but a few have one.
	Items []string

	entry *entry
}

// Paged reports whether the answer comes in pages.
func (o *Operation) Paged() bool { return len(o.Items) > 0 }

// IAMAction is what a policy must allow.
func (o *Operation) IAMAction() string { return "ssm:" + o.Name }

// Page is the address of the operation's page in AWS's API reference.
func (o *Operation) Page() string {
	return "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_" + o.Name + ".html"
}

// Field returns the input field of that name or flag, nil when there is none.
func (o *Operation) Field(name string) *Field {
	for i := range o.Fields {
		if f := &o.Fields[i]; f.Name == name || f.Flag == name {
			return f
		}
	}
	return nil
}

// Operations returns all operations by name.
func Operations() []*Operation { return catalogue().list }

// Families returns the families' names, sorted.
func Families() []string {
	var names []string
	for _, o := range Operations() {
		if !slices.Contains(names, o.Family) {
			names = append(names, o.Family)
		}
	}
	slices.Sort(names)
	return names
}

// Find returns the operation of that name, in either spelling. Another name is a
// Usage error that suggests the nearest.
func Find(name string) (*Operation, error) {
	c := catalogue()
	if o := c.byName[name]; o != nil {
		return o, nil
	}
	err := fault.Usagef("Systems Manager has no operation %q", name)
	if near := fault.Nearest(kebab(name), c.kebabs); near != "" {
		return nil, err.WithHint("did you mean %s?", near)
	}
	return nil, err.WithHint("`ssmdeck api list` lists them all")
}

type operations struct {
	list   []*Operation
	byName map[string]*Operation // by both spellings
	kebabs []string
}

// catalogue joins the table and the facts, once.
var catalogue = sync.OnceValue(func() *operations {
	c := &operations{byName: make(map[string]*Operation, 2*len(table))}
	facts := readFacts(factsText)
	for i := range table {
		e := &table[i]
		o := &Operation{Name: e.name, Kebab: kebab(e.name), entry: e}
		f := facts[e.name]
		f.describe(o)
		o.Fields = fieldsOf(e.input, f)
		c.list = append(c.list, o)
		c.byName[o.Name], c.byName[o.Kebab] = o, o
		c.kebabs = append(c.kebabs, o.Kebab)
	}
	return c
})

// kebab spells a name as the AWS CLI does: OutputS3BucketName becomes
// output-s3-bucket-name.
func kebab(name string) string {
	var b strings.Builder
	lower := func(i int) bool { return i < len(name) && name[i] >= 'a' && name[i] <= 'z' }
	upper := func(i int) bool { return i < len(name) && name[i] >= 'A' && name[i] <= 'Z' }
	digit := func(i int) bool { return name[i] >= '0' && name[i] <= '9' }
	for i := range len(name) {
		if i > 0 && upper(i) && name[i-1] != '-' && (lower(i+1) || lower(i-1) || digit(i-1)) {
			b.WriteByte('-')
		}
		b.WriteByte(name[i])
	}
	return strings.ToLower(b.String())
}
