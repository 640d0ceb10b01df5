package paramfile

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// noteAnnotation holds the names and types that keys cannot say, as JSON.
const noteAnnotation = "ssmdeck/parameters"

// Limits of Kubernetes (its API validation): all values of a Secret, all annotations
// of an object, in bytes.
const (
	secretBytes     = 1 << 20
	annotationBytes = 256 << 10
	dnsName         = 253
	dnsLabel        = 63
)

var dnsShape = pattern.Lazy(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

// k8sNote is what an annotation says of one key.
type k8sNote struct {
	Name string `json:"name,omitempty"` // when it is not the key
	Type string `json:"type,omitempty"`
}

// secretName is the name of a Secret for a path.
func (o Options) secretName() string {
	if o.Secret != "" {
		return o.Secret
	}
	return strings.Trim(strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(o.Root)), "-.")
}

func encodeK8s(b printer, list []item, o Options) error {
	name := o.secretName()
	switch {
	case name == "":
		return fault.Usagef("a Secret needs a name").WithHint("add --secret-name")
	case len(name) > dnsName || !dnsShape().MatchString(name):
		return fault.Usagef("%q cannot be the name of a Secret: lower case letters, digits, - and . only", name).WithHint("add --secret-name")
	case o.Namespace != "" && (len(o.Namespace) > dnsLabel || !dnsShape().MatchString(o.Namespace) || strings.Contains(o.Namespace, ".")):
		return fault.Usagef("%q cannot be a namespace: lower case letters, digits and - only", o.Namespace)
	}
	total := 0
	notes := make(map[string]k8sNote, len(list))
	for _, it := range list {
		if it.key == "." || strings.HasPrefix(it.key, "..") || len(it.key) > dnsName {
			return fault.Usagef("%s cannot be a key of a Secret for %s", it.key, it.Name).WithHint("export its path by itself, or choose another format")
		}
		total += len(it.Value)
		n := k8sNote{Name: it.name, Type: it.Type}
		if n.Name == it.key {
			n.Name = ""
		}
		if n != (k8sNote{}) {
			notes[it.key] = n
		}
	}
	text, err := json.Marshal(notes)
	if err != nil {
		return err
	}
	switch {
	case total > secretBytes:
		return fault.Usagef("the values have %d bytes, and a Secret may have %d", total, secretBytes).WithHint("export paths below it, one at a time")
	case !o.Bare && len(text) > annotationBytes-1024:
		return fault.Usagef("the names and types have %d bytes, more than annotations may have", len(text)).WithHint("add --bare to leave them out")
	}
	b.str("apiVersion: v1\nkind: Secret\nmetadata:\n  name: ")
	writeYAMLString(b, name, "")
	if o.Namespace != "" {
		b.str("\n  namespace: ")
		writeYAMLString(b, o.Namespace, "")
	}
	if len(notes) > 0 && !o.Bare {
		b.str("\n  annotations:\n    " + noteAnnotation + ": '" + string(text) + "'")
	}
	b.str("\ntype: Opaque\ndata:")
	if len(list) == 0 {
		b.str(" {}")
	}
	for _, it := range list {
		b.str("\n  ")
		writeYAMLString(b, it.key, "")
		b.str(": " + base64.StdEncoding.EncodeToString([]byte(it.Value)))
	}
	b.str("\n")
	return nil
}

// decodeK8s reads a Secret or a ConfigMap, as YAML or JSON.
func decodeK8s(d *decoder, data []byte) {
	root := d.readYAML(data)
	if root == nil {
		return
	}
	word := func(n *node, key string) string {
		if n != nil && n.get(key) != nil {
			return n.get(key).text
		}
		return ""
	}
	sort := word(root, "kind")
	if sort != "Secret" && sort != "ConfigMap" {
		d.fail(root.line, "this is no Secret or ConfigMap of Kubernetes")
		return
	}
	notes := map[string]k8sNote{}
	if meta := root.get("metadata"); meta != nil {
		if a := meta.get("annotations"); a != nil {
			if text := word(a, noteAnnotation); text != "" && json.Unmarshal([]byte(text), &notes) != nil {
				d.fail(a.line, "annotation %s is not right", noteAnnotation)
				return
			}
		}
	}
	for _, part := range []struct {
		key     string
		encoded bool
	}{{"data", sort == "Secret"}, {"binaryData", true}, {"stringData", false}} {
		n := root.get(part.key)
		if n == nil || n.kind == nothing {
			continue
		}
		if n.kind != object {
			d.fail(n.line, "%s must be an object of keys and values", part.key)
			continue
		}
		for _, m := range n.members {
			value, err := k8sValue(m.value, part.encoded)
			if err != nil {
				d.fail(m.line, "%s: %s", m.key, err)
				continue
			}
			note, ok := notes[m.key]
			name := note.Name
			switch {
			case name == "" && ok:
				name = m.key
			case name == "":
				name = d.Names.rename(m.key)
			case m.key != K8s.key(name, KeysKeep) && m.key != K8s.key(name, KeysUpper):
				d.fail(m.line, "the annotation says that %s is %s, which is not called that", m.key, name)
				continue
			}
			d.add(m.line, name, parameter.Parameter{Type: note.Type, Value: value})
		}
	}
}

func k8sValue(n *node, encoded bool) (string, error) {
	switch {
	case n.kind == nothing:
		return "", nil // said by add
	case n.kind != scalar:
		return "", fmt.Errorf("the value must be a text")
	case !encoded:
		return n.text, nil
	}
	data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.text), ""))
	switch {
	case err != nil:
		return "", fmt.Errorf("the value is not base64")
	case !utf8.Valid(data):
		return "", fmt.Errorf("the value is no text; Parameter Store keeps text only, and bytes must be written as base64 themselves")
	}
	return string(data), nil
}
