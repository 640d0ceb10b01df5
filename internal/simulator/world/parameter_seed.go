package world

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// mostParameters is how many parameters one scenario can ask for.
const mostParameters = advancedParameters

// ParameterEntry is a parameter of Parameter Store.
type ParameterEntry struct {
	Name           string            `yaml:"name"`
	Type           string            `yaml:"type"` // String (default), StringList, SecureString
	Value          string            `yaml:"value"`
	Key            string            `yaml:"key"`
	Description    string            `yaml:"description"`
	Tier           string            `yaml:"tier"` // the account's default when absent, Advanced when it needs it
	DataType       string            `yaml:"data_type"`
	AllowedPattern string            `yaml:"allowed_pattern"`
	Tags           map[string]string `yaml:"tags"`
	// History are the values of earlier versions, the oldest first.
	History []string `yaml:"history"`
	// Labels by version number.
	Labels map[int64][]string `yaml:"labels"`
	// Policies, counted from the start: Expires is when it is deleted, Notify how
	// long before that somebody is told, Unchanged after how long without a change.
	Expires   time.Duration `yaml:"expires"`
	Notify    time.Duration `yaml:"notify"`
	Unchanged time.Duration `yaml:"unchanged"`
	// Share are the ids of accounts that may read it.
	Share []string `yaml:"share"`
}

// ParameterStoreSpec is how Parameter Store behaves.
type ParameterStoreSpec struct {
	// Generate asks for many parameters.
	Generate []GenerateSpec `yaml:"generate"`
	// SparsePages makes pages of GetParametersByPath and DescribeParameters short
	// or empty here and there, with a token, as the service's can be.
	SparsePages bool `yaml:"sparse_pages"`
	// RecreateAfter is how long a deleted name cannot be used again. (The service
	// asks for 30s and does not say what happens otherwise.)
	RecreateAfter time.Duration `yaml:"recreate_after"`
	// Images are the AMIs that a value of data type aws:ec2:image can name, beside
	// those of nodes and of AWS.
	Images []string `yaml:"images"`
}

// GenerateSpec asks for parameters that are the same at each start: PREFIX/00001
// and so on, or PREFIX/g001/00001 with PerPath.
type GenerateSpec struct {
	Count   int    `yaml:"count"`
	Prefix  string `yaml:"prefix"`   // /load
	PerPath int    `yaml:"per_path"` // so many in each path below the prefix
	Secure  int    `yaml:"secure"`   // so many of Count are SecureStrings, here and there
	Size    int    `yaml:"size"`     // bytes of a value; "value of NAME" when 0
	Key     string `yaml:"key"`
	Tier    string `yaml:"tier"`
}

func (c *checker) parameters() {
	for i := range c.sc.Parameters {
		p := &c.sc.Parameters[i]
		fill(&p.Type, typeString)
		c.oneOf(at("parameters", i, "type"), p.Type, typeString, "StringList", typeSecureString)
		c.oneOf(at("parameters", i, "tier"), p.Tier, "", tierStandard, tierAdvanced, tierIntelligent)
		if p.Name == "" || p.Value == "" || slices.Contains(p.History, "") {
			c.failf(at("parameters", i), "a parameter needs a name and a value")
		}
		for key, d := range map[string]time.Duration{"expires": p.Expires, "notify": p.Notify, "unchanged": p.Unchanged} {
			if d < 0 || (key != "expires" && d%time.Hour != 0) {
				c.failf(at("parameters", i, key), "%s: is not a number of hours", key)
			}
		}
		if p.Notify > 0 && p.Expires == 0 {
			c.failf(at("parameters", i, "notify"), "notify: %s does not expire", p.Name)
		}
		for _, number := range slices.Sorted(maps.Keys(p.Labels)) {
			if number < 1 || number > int64(len(p.History))+1 || slices.ContainsFunc(p.Labels[number], func(l string) bool { return !validLabel(l) }) {
				c.failf(at("parameters", i, "labels"), "labels: of %s are not valid, or there is no version %d", p.Name, number)
			}
		}
	}
	c.oneOf(at("limits"), c.sc.Limits, "", LimitsReal)
	if c.sc.ParameterStore.RecreateAfter < 0 {
		c.failf(at("parameter_store", "recreate_after"), "recreate_after: must not be negative")
	}
	for i := range c.sc.ParameterStore.Generate {
		g := &c.sc.ParameterStore.Generate[i]
		p := func(key string) []any { return at("parameter_store", "generate", i, key) }
		fill(&g.Prefix, "/load")
		c.match(p("prefix"), g.Prefix, `(/[a-zA-Z0-9_.-]+)+`)
		c.oneOf(p("tier"), g.Tier, "", tierStandard, tierAdvanced, tierIntelligent)
		switch {
		case g.Count < 1, g.Count > mostParameters:
			c.failf(p("count"), "count: %d is not from 1 to %d", g.Count, mostParameters)
		case g.Secure < 0, g.Secure > g.Count:
			c.failf(p("secure"), "secure: %d is not from 0 to the count", g.Secure)
		case g.Size < 0, g.Size > advancedValue:
			c.failf(p("size"), "size: %d is not from 0 to %d", g.Size, advancedValue)
		case g.PerPath < 0:
			c.failf(p("per_path"), "per_path: must not be negative")
		}
	}
}

// addParameters makes the parameters of the scenario.
func (w *World) addParameters() error {
	w.seeding = true
	defer func() { w.seeding = false }()
	user := "arn:aws:iam::" + w.sc.Account + ":user/scenario"
	for _, s := range w.sc.Parameters {
		if err := w.seedParameter(s, user); err != nil {
			return fmt.Errorf("parameter %s: %w", s.Name, err)
		}
	}
	for _, g := range w.sc.ParameterStore.Generate {
		if err := w.generateParameters(g, user); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) seedParameter(s ParameterEntry, user string) error {
	policies, err := s.policies(w.now())
	if err != nil {
		return err
	}
	if s.Tier == "" && (policies != "" || len(s.Share) > 0) {
		s.Tier = tierAdvanced
	}
	for i, value := range append(slices.Clone(s.History), s.Value) {
		p := NewParameter{
			Name: s.Name, Value: value, Type: s.Type, KeyID: s.Key, Tier: s.Tier, DataType: s.DataType, User: user,
			Description: &s.Description, AllowedPattern: &s.AllowedPattern, Overwrite: i > 0,
		}
		if i == len(s.History) {
			p.Policies = policies
		}
		if i == 0 {
			p.Tags = s.Tags
		}
		if _, err := w.PutParameter(p); err != nil {
			return err
		}
	}
	for _, number := range slices.Sorted(maps.Keys(s.Labels)) {
		if _, _, err := w.LabelParameter(s.Name, number, s.Labels[number]); err != nil {
			return err
		}
	}
	if len(s.Share) > 0 {
		return w.seedShare(s)
	}
	return nil
}

// policies is the JSON of the policies that a scenario asks for.
func (s ParameterEntry) policies(now time.Time) (string, error) {
	type policy struct {
		Type, Version string
		Attributes    map[string]string
	}
	var list []policy
	hours := func(d time.Duration) string { return strconv.Itoa(int(d / time.Hour)) }
	if s.Expires > 0 {
		list = append(list, policy{policyExpiration, "1.0", map[string]string{"Timestamp": now.Add(s.Expires).UTC().Format("2006-01-02T15:04:05.000Z")}})
	}
	if s.Notify > 0 {
		list = append(list, policy{policyExpiring, "1.0", map[string]string{"Before": hours(s.Notify), "Unit": "Hours"}})
	}
	if s.Unchanged > 0 {
		list = append(list, policy{policyUnchanged, "1.0", map[string]string{"After": hours(s.Unchanged), "Unit": "Hours"}})
	}
	if len(list) == 0 {
		return "", nil
	}
	text, err := json.Marshal(list)
	return string(text), err
}

func (w *World) seedShare(s ParameterEntry) error {
	arn := w.ParameterARN(s.Name)
	text := policyDocument(map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"AWS": s.Share}, "Action": []string{"ssm:GetParameter", "ssm:GetParameters", "ssm:DescribeParameters"}, "Resource": arn,
	})
	if err := w.CheckShared(arn, text); err != nil {
		return err
	}
	return w.Tables(func(t *Tables) error {
		w.PutPolicy(t, arn, newUUID(), text)
		return nil
	})
}

func (w *World) generateParameters(g GenerateSpec, user string) error {
	for i := range g.Count {
		name := fmt.Sprintf("%s/%05d", g.Prefix, i+1)
		if g.PerPath > 0 {
			name = fmt.Sprintf("%s/g%03d/%05d", g.Prefix, i/g.PerPath+1, i+1)
		}
		p := NewParameter{Name: name, Value: "value of " + name, Type: typeString, Tier: g.Tier, User: user}
		if g.Size > 0 {
			p.Value = strings.Repeat(name+"\n", g.Size/len(name)+1)[:g.Size]
		}
		if place(i, 3, g.Count) < g.Secure {
			p.Type, p.KeyID = typeSecureString, g.Key
		}
		if _, err := w.PutParameter(p); err != nil {
			return fmt.Errorf("parameter %s: %w", name, err)
		}
	}
	return nil
}
