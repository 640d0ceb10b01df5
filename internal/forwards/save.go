package forwards

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strconv"

	"go.yaml.in/yaml/v4"

	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/strictyaml"
)

// Save adds an entry to the file at path, which is made when there is none. What
// is there stays, comments too. A name that the file has already is refused, and
// nothing is written that Parse would not take.
func Save(path string, e Entry, check func(expr string) error) error {
	const op = "save a forward"
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.Failed, op, "%w", err)
	}
	perm := fs.FileMode(0o600)
	if info, err := os.Stat(path); err == nil {
		perm = info.Mode().Perm()
	}
	old, err := Parse(path, data, false, check)
	if err != nil {
		return err
	}
	for i := range old {
		if old[i].Name == e.Name {
			return fault.New(fault.Refused, op, "%s is saved already, in %s:%d", e.Name, path, old[i].Line).
				WithHint("use another name, or change it there")
		}
	}
	data, err = add(path, data, &e)
	if err != nil {
		return fault.New(fault.Failed, op, "%w", err)
	}
	if now, err := Parse(path, data, false, check); err != nil {
		return err
	} else if len(now) != len(old)+1 {
		return fault.New(fault.Failed, op, "%s cannot be extended", path).WithHint("add it with an editor")
	}
	if err := config.WriteFileAtomic(path, data, perm); err != nil {
		return fault.New(fault.Failed, op, "%w", err)
	}
	return nil
}

// add returns the YAML with the entry in it.
func add(path string, data []byte, e *Entry) ([]byte, error) {
	p := &strictyaml.File{Path: path}
	root, err := p.Load(data)
	if err != nil {
		return nil, err
	}
	if root == nil || strictyaml.IsNull(root) {
		root = &yaml.Node{Kind: yaml.MappingNode}
	}
	var list *yaml.Node
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value == "forwards" {
			list = root.Content[i+1]
		}
	}
	if list == nil {
		list = &yaml.Node{Kind: yaml.MappingNode}
		root.Content = append(root.Content, text("forwards"), list)
	} else if strictyaml.IsNull(list) {
		*list = yaml.Node{Kind: yaml.MappingNode}
	}
	list.Content = append(list.Content, text(e.Name), node(e))
	var b bytes.Buffer
	out, err := yaml.NewDumper(&b, yaml.WithIndent(2))
	if err != nil {
		return nil, err
	}
	if err := errors.Join(out.Dump(root), out.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func text(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }

// node is the entry as a file has it, without what is as usual.
func node(e *Entry) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	put := func(key string, values ...string) {
		v := &yaml.Node{Kind: yaml.SequenceNode}
		for _, s := range values {
			v.Content = append(v.Content, text(s))
		}
		if len(values) == 1 {
			v = v.Content[0]
		}
		if len(values) > 0 && (len(values) > 1 || values[0] != "") {
			n.Content = append(n.Content, text(key), v)
		}
	}
	put("node", e.Node)
	var specs []string
	for _, s := range e.Specs {
		specs = append(specs, s.String())
	}
	put("spec", specs...)
	put("profile", e.Profile)
	put("region", e.Region)
	put("bind", e.Bind)
	put("description", e.Description)
	put("reason", e.Reason)
	put("groups", e.Groups...)
	if e.Lanes > 0 {
		n.Content = append(n.Content, text("lanes"), &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(e.Lanes)})
	}
	if e.Idle != DefaultIdle && e.Idle > 0 {
		put("idle", e.Idle.String())
	}
	return n
}
