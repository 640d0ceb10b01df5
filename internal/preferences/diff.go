package preferences

import (
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Change is one setting that differs. From and To are in words for people.
type Change struct {
	Setting string `json:"setting"` // its name, or the input for one that has none
	Input   string `json:"input"`
	From    string `json:"from"`
	To      string `json:"to"`
}

// Diff returns what must be changed in a to make it b: first the settings in
// their order, then inputs without a name.
func Diff(a, b Preferences) []Change {
	var changes []Change
	for _, s := range settings {
		if from, to := a.Value(s), b.Value(s); from != to {
			changes = append(changes, Change{s.Name, s.Input, from, to})
		}
	}
	other := map[string]bool{}
	for _, p := range []Preferences{a, b} {
		for input := range p.Inputs {
			other[input] = true
		}
	}
	for _, input := range slices.Sorted(maps.Keys(other)) {
		if _, named := byInput(input); named || input == "shellProfile" {
			continue
		}
		if from, to := plain(a.Inputs[input]), plain(b.Inputs[input]); from != to {
			changes = append(changes, Change{input, input, from, to})
		}
	}
	return changes
}

// WithFile returns p with what a file in YAML or JSON says: settings by their
// names, or an object with inputs, as Session documents and `prefs get -o yaml`
// have it. What the file does not name stays. Errors are of kind Usage.
func (p Preferences) WithFile(data []byte) (Preferences, error) {
	var file map[string]any
	if err := yaml.Unmarshal(data, &file); err != nil {
		return p, fault.Usagef("the file is neither YAML nor JSON: %w", err)
	}
	if len(file) == 0 {
		return p, fault.Usagef("the file has no settings in it")
	}
	inputs, isDocument := file["inputs"]
	if !isDocument {
		for _, name := range slices.Sorted(maps.Keys(file)) {
			if err := p.change(name, plain(file[name])); err != nil {
				return p, err
			}
		}
		return p, nil
	}
	m, ok := inputs.(map[string]any)
	if !ok {
		return p, fault.Usagef("inputs in the file is not a mapping")
	}
	return p, p.merge(m)
}

// merge takes over the inputs of a document, checked like what is typed.
func (p *Preferences) merge(inputs map[string]any) error {
	flat := map[string]any{}
	for k, v := range inputs {
		if m, ok := v.(map[string]any); ok && k == "shellProfile" {
			for inner, text := range m {
				flat[k+"."+inner] = text
			}
			continue
		}
		flat[k] = v
	}
	for _, input := range slices.Sorted(maps.Keys(flat)) {
		s, known := byInput(input)
		_, there := p.lookup(input)
		switch v := flat[input]; {
		case known && plain(v) == p.Text(input): // as it is, whatever one thinks of it
		case known:
			value, err := s.read(plain(v))
			if err != nil {
				return fault.Usagef("%s: %v", input, err).WithHint("%s takes %s", s.Name, s.Form)
			}
			p.put(input, value)
		case there:
			p.put(input, v)
		default:
			return unknownInput(input)
		}
	}
	return nil
}

func unknownInput(input string) error {
	var names []string
	for _, s := range settings {
		names = append(names, s.Input)
	}
	err := fault.Usagef("Session documents have no input %q", input)
	if near := fault.Nearest(input, names); near != "" {
		return err.WithHint("did you mean %s?", near)
	}
	return err
}

// Warnings are what the settings lead to and may surprise.
func (p Preferences) Warnings() []string {
	var w []string
	if group := p.Text("cloudWatchLogGroupName"); group != "" && p.On("cloudWatchEncryptionEnabled") {
		w = append(w, fmt.Sprintf("sessions start only if log group %s is encrypted with a KMS key (log-encryption=off lifts that)", group))
	}
	if p.On("runAsEnabled") && p.Text("runAsDefaultUser") == "" {
		w = append(w, "run-as is on without a user: sessions of principals without the tag SSMSessionRunAs will not start")
	}
	if p.Text("cloudWatchLogGroupName") == "" && p.On("cloudWatchStreamingEnabled") {
		w = append(w, "streaming needs a log-group")
	}
	return w
}
