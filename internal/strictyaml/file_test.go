package strictyaml

import (
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

func TestMappingTellsAllFaults(t *testing.T) {
	f := &File{Path: "x.yaml"}
	root, err := f.Load([]byte("name: a\nnmae: b\nname: c\n[1]: d\nnothing:\n"))
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	f.Mapping(root, "the file", []string{"name", "nothing"}, func(key string, v *yaml.Node) {
		keys = append(keys, key)
		f.Mapping(v, key, nil, func(string, *yaml.Node) {})
	})
	if !slices.Equal(keys, []string{"name", "nothing"}) {
		t.Errorf("keys %v", keys)
	}
	want := []string{
		"x.yaml:1: name must be a list of `key: value` lines",
		`x.yaml:2: unknown key "nmae" in the file (did you mean "name"?)`,
		`x.yaml:3: key "name" appears twice in the file`,
		"x.yaml:4: a key of the file must be a plain word",
	}
	if got := strings.Split(f.Err().Error(), "\n"); !slices.Equal(got, want) {
		t.Errorf("faults:\n%s", strings.Join(got, "\n"))
	}
}

func TestLoadWantsOneDocument(t *testing.T) {
	f := &File{Path: "x.yaml"}
	for text, want := range map[string]string{
		"a: 1\n---\nb: 2\n":  "x.yaml:2: only one YAML document is allowed",
		"a: [1\n":            "x.yaml:2:",
		"a: 1\n b: 2\n":      "x.yaml:",
		"a: b\nc: *s3cret\n": "x.yaml:2: a text that begins with * must be in quotes",
	} {
		if _, err := f.Load([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	for _, text := range []string{"", "# nothing\n"} {
		if root, err := f.Load([]byte(text)); root != nil || err != nil {
			t.Errorf("%q: %v, %v", text, root, err)
		}
	}
	if f.Err() != nil {
		t.Error("nothing was found in a file that is none")
	}
}
