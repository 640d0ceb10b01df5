package parameter

import (
	"slices"
	"strings"
)

// Branch is one part of the hierarchy: a folder, a parameter, or both of one name. The
// JSON names are part of the output contract.
type Branch struct {
	Name      string     `json:"name"` // the last part of the path
	Path      string     `json:"path"`
	Parameter *Parameter `json:"parameter,omitempty"` // of this name
	Below     int        `json:"below"`               // parameters below it, at any depth
	Children  []*Branch  `json:"children,omitempty"`  // sorted by name
}

// Tree is the hierarchy of parameters below root: a path, or "/" for all. Parameters that
// are not below it, but root itself, are left out.
func Tree(root string, list []Parameter) *Branch {
	top := &Branch{Name: root, Path: root}
	at := map[string]*Branch{root: top}
	for i := range list {
		p := &list[i]
		if p.Name == root {
			top.Parameter = p
			continue
		}
		if root != "/" && !strings.HasPrefix(p.Name, root+"/") {
			continue
		}
		b := at[root].grow(at, root, p.Name)
		b.Parameter = p
	}
	top.settle()
	return top
}

// grow returns the branch of a name below b, and makes those on the way there.
func (b *Branch) grow(at map[string]*Branch, root, name string) *Branch {
	from := len(root) + 1
	switch {
	case root == "/" && strings.HasPrefix(name, "/"):
		from = 1
	case root == "/":
		from = 0
	}
	for {
		end := len(name)
		if i := strings.IndexByte(name[from:], '/'); i >= 0 {
			end = from + i
		}
		path := name[:end]
		next := at[path]
		if next == nil {
			next = &Branch{Name: name[from:end], Path: path}
			at[path] = next
			b.Children = append(b.Children, next)
		}
		if b = next; end == len(name) {
			return b
		}
		from = end + 1
	}
}

// settle counts and sorts.
func (b *Branch) settle() {
	b.Below = 0
	for _, c := range b.Children {
		c.settle()
		if b.Below += c.Below; c.Parameter != nil {
			b.Below++
		}
	}
	slices.SortFunc(b.Children, func(x, y *Branch) int { return strings.Compare(x.Name, y.Name) })
}

// Prune leaves out what is more than depth levels below b; 0 is nothing.
func (b *Branch) Prune(depth int) {
	if depth <= 0 {
		return
	}
	if depth == 1 {
		for _, c := range b.Children {
			c.Children = nil
		}
		return
	}
	for _, c := range b.Children {
		c.Prune(depth - 1)
	}
}

// Lines is how many branches there are down to a depth, without b itself; 0 is all.
func (b *Branch) Lines(depth int) (n int) {
	for _, c := range b.Children {
		n++
		if depth != 1 {
			n += c.Lines(depth - 1)
		}
	}
	return n
}

// Depth is how many levels there are below b.
func (b *Branch) Depth() (deepest int) {
	for _, c := range b.Children {
		deepest = max(deepest, 1+c.Depth())
	}
	return deepest
}
