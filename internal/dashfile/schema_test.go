package dashfile

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"testing"
)

var update = flag.Bool("update", false, "write docs/dash.schema.json anew")

const schemaFile = "../../docs/dash.schema.json"

// descriptions are what an editor says of each key.
var descriptions = map[string]string{
	"views": "Saved views", "commands": "Command lines about rows", "view.name": "What the palette calls it", "view.view": "The view that is shown",
	"view.filter": "Only rows that fit, as / takes it", "view.key": "A key that shows it", "command.name": "What the palette calls it",
	"command.view": "Where it is offered; without it, on every view whose rows have what the line names",
	"command.key":  "A key that runs it", "command.run": "An ssmdeck command line, or its words; values of the row are {{.Node.ID}} and so on",
	"command.exec": "Another program with its arguments, or its words, without a shell", "command.ask": "Values to ask for: {{.Ask.NAME}}",
	"command.confirm": "How strictly it is asked for; never less than the views do", "command.screen": "The ssmdeck line gets the terminal",
	"command.wait": "What the program wrote stays on the screen until Enter", "ask.name": "NAME of {{.Ask.NAME}}", "ask.title": "The question",
	"ask.default": "What stands there at first", "ask.choices": "Nothing else goes",
}

type node = map[string]any

// schema is what the reader takes, made from its own tables.
func schema() node {
	text := func(n node) node {
		n["type"] = "string"
		return n
	}
	name := node{"minLength": 1, "maxLength": longestName, "type": "string"}
	view := func() node { return text(node{"enum": ViewNames()}) }
	line := func() node {
		return node{"oneOf": []node{text(node{"minLength": 1}), {"type": "array", "items": text(node{}), "minItems": 1}}}
	}
	key := func() node { return text(node{"pattern": legalKey().String()}) }
	object := func(prefix string, keys, required []string, of node) node {
		properties := node{}
		for _, k := range keys {
			p, ok := of[k].(node)
			if !ok {
				panic("the schema has nothing for " + prefix + k)
			}
			if properties[k] = p; descriptions[prefix+k] == "" {
				panic("nothing is said of " + prefix + k)
			}
			p["description"] = descriptions[prefix+k]
		}
		out := node{"type": "object", "additionalProperties": false, "properties": properties}
		if len(required) > 0 {
			out["required"] = required
		}
		return out
	}
	list := func(of node) node { return node{"type": []string{"array", "null"}, "items": of} }
	ask := object("ask.", askKeys, []string{"name"}, node{
		"name": text(node{"pattern": legalAsk().String()}), "title": text(node{}), "default": text(node{}), "choices": node{"type": "array", "items": text(node{}), "minItems": 1},
	})
	command := object("command.", commandKeys, []string{"name"}, node{
		"name": name, "key": key(), "run": line(), "exec": line(), "ask": list(ask), "confirm": text(node{"enum": levelNames}),
		"view":   node{"oneOf": []node{view(), {"type": "array", "items": view(), "minItems": 1, "uniqueItems": true}}},
		"screen": node{"type": "boolean"}, "wait": node{"type": "boolean"},
	})
	command["oneOf"] = []node{
		{"required": []string{"run"}, "not": node{"required": []string{"wait"}}},
		{"required": []string{"exec"}, "not": node{"required": []string{"screen"}}},
	}
	top := object("", topKeys, nil, node{
		"views": list(object("view.", viewKeys, []string{"name", "view"}, node{
			"name": node{"minLength": 1, "maxLength": longestName, "type": "string"}, "view": view(), "filter": text(node{}), "key": key(),
		})),
		"commands": list(command),
	})
	top["$schema"], top["title"] = "http://json-schema.org/draft-07/schema#", "The user's own views and commands of ssmdeck dash"
	return top
}

// What editors are told is what the reader takes.
func TestTheSchemaIsThatOfTheReader(t *testing.T) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(schema()); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(schemaFile, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")), b.Bytes()) {
		t.Error("docs/dash.schema.json is not what the reader takes: go test ./internal/dashfile -update")
	}
	for name := range descriptions {
		known := slices.Concat(topKeys, prefixed("view.", viewKeys), prefixed("command.", commandKeys), prefixed("ask.", askKeys))
		if !slices.Contains(known, name) {
			t.Errorf("%s is described, and is no key", name)
		}
	}
}

func prefixed(prefix string, keys []string) (out []string) {
	for _, k := range keys {
		out = append(out, prefix+k)
	}
	return out
}
