package world

import (
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// versionLabels is how many labels a version of a parameter can have.
const versionLabels = 10

var labelForm = pattern.Lazy(`^[a-zA-Z_.-][a-zA-Z0-9_.-]{0,99}$`)

// validLabel reports whether a label is of the form that the service takes (User
// Guide, "Working with parameter labels").
func validLabel(label string) bool {
	lower := strings.ToLower(label)
	return labelForm().MatchString(label) && !strings.HasPrefix(lower, "aws") && !strings.HasPrefix(lower, "ssm")
}

// LabelParameter puts labels on a version, the latest when 0, and takes them from
// others. Labels that can't be are returned and not put.
func (w *World) LabelParameter(name string, number int64, labels []string) (version int64, bad []string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, i, err := w.parameterVersion(name, number)
	if err != nil {
		return 0, nil, err
	}
	next := slices.Clone(p.Versions[i].Labels)
	for _, l := range labels {
		switch {
		case !validLabel(l):
			bad = append(bad, l)
		case !slices.Contains(next, l):
			next = append(next, l)
		}
	}
	if len(next) > versionLabels {
		return 0, nil, Errorf("ParameterVersionLabelLimitExceeded", "A parameter version can have maximum %d labels. Move one or more labels to another version and try again.", versionLabels)
	}
	for j := range p.Versions {
		p.Versions[j].Labels = slices.DeleteFunc(slices.Clone(p.Versions[j].Labels), func(l string) bool { return slices.Contains(next, l) })
	}
	p.Versions[i].Labels = next
	w.changed(p.Name, p.Versions[i], "LabelParameterVersion", "")
	return p.Versions[i].Number, bad, nil
}

// UnlabelParameter takes labels from a version. Those that it does not have are
// returned as bad.
func (w *World) UnlabelParameter(name string, number int64, labels []string) (removed, bad []string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, i, err := w.parameterVersion(name, number)
	if err != nil {
		return nil, nil, err
	}
	for _, l := range labels {
		if slices.Contains(p.Versions[i].Labels, l) {
			removed = append(removed, l)
		} else {
			bad = append(bad, l)
		}
	}
	p.Versions[i].Labels = slices.DeleteFunc(slices.Clone(p.Versions[i].Labels), func(l string) bool { return slices.Contains(removed, l) })
	return removed, bad, nil
}

// parameterVersion finds a version by its number, the latest when 0. Callers hold
// w.mu.
func (w *World) parameterVersion(name string, number int64) (*Parameter, int, error) {
	p, ok := w.params.get(w.parameterKey(name))
	if !ok {
		return nil, 0, Errorf("ParameterNotFound", "")
	}
	if number == 0 {
		return p, len(p.Versions) - 1, nil
	}
	i := slices.IndexFunc(p.Versions, func(v ParameterVersion) bool { return v.Number == number })
	if i < 0 {
		return nil, 0, Errorf("ParameterVersionNotFound", "Systems Manager could not find version %d of %s. Verify the version and try again.", number, name)
	}
	return p, i, nil
}
