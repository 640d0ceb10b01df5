package parameter

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Keys says which key takes the place of which, when SecureStrings go elsewhere.
type Keys struct {
	All string            // takes the place of every key that Of does not have
	Of  map[string]string // by the key as the source has it
}

func (k Keys) of(key string) string {
	if to, ok := k.Of[key]; ok {
		return to
	}
	if k.All != "" {
		return k.All
	}
	return key
}

// Check says what is wrong with the key of p where p goes to another account or Region:
// there an id or an ARN is none.
func (k Keys) Check(p Parameter) error {
	to := k.of(p.KeyID)
	if !p.Secure() || to != p.KeyID || to == "" || strings.HasPrefix(to, "alias/") || strings.Contains(to, "mrk-") {
		return nil
	}
	return fault.Usagef("%s is encrypted with the key %s, which is not there on the other side", p.Name, to).
		WithHint("say which key is: --key %s=alias/NAME", to)
}

// Copying is one parameter on its way to another name, Region or account.
type Copying struct {
	Source Parameter // with value and tags
	Target string
	// Versions are what is written, the oldest first: one, or all that are kept.
	Versions []Parameter
	Current  *Parameter // what has the target's name, with value and tags; nil: nothing
	// Done counts the versions that are there already, and complete. Begun: the target has
	// some from a copy with History that was interrupted.
	Done    int
	Begun   bool
	Changes []Change // one for each of Versions

	numbers  []int64 // of Versions that are at the target already
	tagsFrom Origin  // of a new one tags are read when it is written, which takes longer
}

// New reports whether the target is made.
func (c *Copying) New() bool { return c.Current == nil }

// Same reports whether the target is already what it is to be.
func (c *Copying) Same() bool { return c.Done == len(c.Versions) }

// BecomesAdvanced reports whether the target becomes advanced, which it is not, or is not there.
func (c *Copying) BecomesAdvanced() bool {
	return !c.Same() && c.Changes[len(c.Changes)-1].Tier == Advanced && (c.New() || c.Current.Tier != Advanced)
}

// CopyOptions say how parameters are copied.
type CopyOptions struct {
	Keys    Keys
	History bool                     // all versions with their labels, instead of the latest
	Tags    bool                     // tags too
	Target  func(name string) string // the name at the target
}

// Origin is where copies come from: a Service, or a backup.
type Origin interface {
	Tags(ctx context.Context, name string) (map[string]string, error)
	History(ctx context.Context, name string, decrypt bool) iter.Seq2[Parameter, error]
}

// PlanCopy finds out what has to be written for sources, which have their values, to be at
// the target too. It reads tags, history, and what is there already.
func PlanCopy(ctx context.Context, from Origin, to *Service, sources []Parameter, o CopyOptions) ([]Copying, error) {
	list := make([]Copying, len(sources))
	names := make([]string, len(sources))
	for i, p := range sources {
		list[i] = Copying{Source: p, Target: o.Target(p.Name)}
		names[i] = list[i].Target
	}
	there, err := to.whole(ctx, names)
	if err != nil {
		return nil, err
	}
	if err := apart(list, there); err != nil {
		return nil, err
	}
	err = awsapi.Parallel(ctx, len(list), func(ctx context.Context, i int) error {
		c := &list[i]
		if p, ok := there[c.Target]; ok {
			c.Current = &p
		}
		var err error
		switch {
		case !o.Tags:
		case c.Current == nil:
			c.tagsFrom = from
		default:
			if c.Source.Tags, err = from.Tags(ctx, c.Source.Name); err != nil {
				return err
			}
			if c.Current.Tags, err = to.Tags(ctx, c.Target); err != nil {
				return err
			}
		}
		return c.plan(ctx, from, to, o)
	})
	return list, err
}

// apart refuses targets that are sources themselves, whatever name or profile they were
// reached by: a move would delete what it has written.
func apart(list []Copying, there map[string]Parameter) error {
	sources := map[string]string{}
	for _, c := range list {
		if c.Source.ARN != "" { // an old version has none, and may be written over the latest
			sources[c.Source.ARN] = c.Source.Name
		}
	}
	for _, c := range list {
		if name, ok := sources[there[c.Target].ARN]; ok {
			return fault.New(fault.Usage, "copy "+c.Source.Name, "the target %s is the source %s itself", c.Target, name).
				WithHint("choose a target that is not in the source")
		}
	}
	return nil
}

// whole reads parameters by name, with metadata and values; missing ones are left out.
func (s *Service) whole(ctx context.Context, names []string) (map[string]Parameter, error) {
	all := map[string]Parameter{}
	if len(names) == 0 {
		return all, nil // a query without names means all
	}
	for p, err := range s.Read(ctx, Query{Names: names}, true) {
		if err != nil {
			return nil, err
		}
		all[p.Name] = p
	}
	return all, nil
}

func (c *Copying) plan(ctx context.Context, from Origin, to *Service, o CopyOptions) error {
	c.Versions = []Parameter{c.Source}
	if !o.History {
		change := copyChange(c.Source, c.Target, o.Keys)
		if c.Changes = []Change{change}; c.Current != nil {
			c.Changes[0] = change.over(*c.Current)
			if likeCopy(change, *c.Current) && sameTags(c.Source.Tags, c.Current.Tags) {
				c.Done = 1
			}
		}
		return nil
	}
	var err error
	if c.Versions, err = awsapi.Collect(from.History(ctx, c.Source.Name, true)); err != nil {
		return err
	}
	var have []Parameter
	if c.Current != nil {
		if have, err = awsapi.Collect(to.History(ctx, c.Target, true)); err != nil {
			return err
		}
	}
	advanced := false
	for i, v := range c.Versions {
		last := i == len(c.Versions)-1
		if v.Name = c.Source.Name; !last {
			v.Policies = nil // an expiration of then has passed
		}
		if advanced = advanced || v.Tier == Advanced; advanced {
			v.Tier = Advanced
		}
		change := copyChange(v, c.Target, o.Keys)
		if last && c.Current != nil {
			change = change.over(*c.Current)
		}
		change.Overwrite, change.Replaces = i > 0, int64(i)
		if i > 0 {
			change.Tags = nil
		} else {
			change.Tags = c.Source.Tags
		}
		c.Changes = append(c.Changes, change)
	}
	for c.Done < min(len(have), len(c.Versions)) && likeVersion(c.Changes[c.Done], have[c.Done]) {
		c.Done++
	}
	if n := len(c.Versions); c.Done == n && c.Current != nil && !likeCopy(copyChange(c.Source, c.Target, o.Keys), *c.Current) {
		c.Done-- // its policies: an older version has none to compare
	}
	if c.Done < len(have) {
		return fault.New(fault.Conflict, "copy "+c.Source.Name, "%s is there with other versions, which a history cannot be written over", c.Target).
			WithHint("delete it first, or copy without --history")
	}
	c.Begun = c.Done > 0
	for _, v := range have {
		c.numbers = append(c.numbers, v.Version)
	}
	for i := range c.Done { // the last thing that is done to a version is its labels
		if !containsAll(have[i].Labels, c.Versions[i].Labels) {
			c.Done = i
			break
		}
	}
	return nil
}

// copyChange writes p under another name, whole.
func copyChange(p Parameter, target string, keys Keys) Change {
	c := Change{
		Name: target, Value: p.Value, Type: p.Type, Description: p.Description, AllowedPattern: p.AllowedPattern, DataType: p.DataType,
		Policies: PoliciesOf(p.Policies), Tags: p.Tags, ClearDescription: p.Description == "", ClearPattern: p.AllowedPattern == "",
	}
	if p.Tier == Advanced {
		c.Tier = Advanced
	}
	if p.Secure() {
		c.KeyID = keys.of(p.KeyID)
	}
	return c
}

// over is c where it is written over p: what c has not is not to stay.
func (c Change) over(p Parameter) Change {
	c.Overwrite, c.Replaces = true, p.Version
	if c.Policies == "" && len(p.Policies) > 0 {
		c.Policies = NoPolicies
	}
	if p.Tier == Advanced { // none goes back, and the account's default may be another
		c.Tier = Advanced
	}
	return c
}

// likeCopy reports whether p is what the change would make.
func likeCopy(c Change, p Parameter) bool {
	policies := c.Policies == "" && len(p.Policies) == 0 || c.Policies != "" && SamePolicies(c.Policies, p.Policies)
	return policies && likeVersion(c, p)
}

// likeVersion is likeCopy without policies, of which only the latest version has any.
func likeVersion(c Change, p Parameter) bool {
	return c.Value == p.Value && c.Type == p.Type && c.Description == p.Description && c.AllowedPattern == p.AllowedPattern &&
		c.DataType == p.DataType && SameKey(c.KeyID, p.KeyID) && (c.Tier != Advanced || p.Tier == Advanced)
}

// sameTags reports whether a parameter has all the tags that it is to have.
func sameTags(want, have map[string]string) bool {
	for k, v := range want {
		if now, ok := have[k]; !ok || now != v {
			return false
		}
	}
	return true
}

func containsAll(have, want []string) bool {
	return !slices.ContainsFunc(want, func(w string) bool { return !slices.Contains(have, w) })
}

// Check says everything that the service would refuse about what is to be written.
func (c *Copying) Check() (faults []error) {
	current := c.Current
	for i, change := range c.Changes {
		if i >= c.Done {
			change.Tags = nil // those of the source are fine
			faults = append(faults, CheckChange(change, current)...)
		}
		next := Parameter{Name: c.Target, Type: change.Type, Tier: change.Tier}
		current = &next
	}
	return faults
}

// Copy writes what is missing at the target, and returns the version that is the latest
// then. What was done before an error is found by a new plan.
func (s *Service) Copy(ctx context.Context, c *Copying) (version int64, err error) {
	if c.Current != nil {
		version = c.Current.Version
	}
	for i := c.Done; i < len(c.Changes); i++ {
		change := c.Changes[i]
		if i == 0 && c.tagsFrom != nil {
			if change.Tags, err = c.tagsFrom.Tags(ctx, c.Source.Name); err != nil {
				return version, err
			}
		}
		tags := change.Tags
		if change.Overwrite {
			change.Tags = nil
		}
		if i < len(c.numbers) { // only its labels are missing
			version = c.numbers[i]
		} else {
			written, err := s.Put(ctx, change)
			if err != nil {
				return version, err
			}
			version = written.Version
		}
		if change.Overwrite && len(tags) > 0 {
			if err := s.Tag(ctx, c.Target, tags); err != nil {
				return version, err
			}
		}
		if labels := c.Versions[i].Labels; len(labels) > 0 {
			refused, _, err := s.Label(ctx, c.Target, version, labels)
			if err == nil && len(refused) > 0 {
				err = fault.New(fault.RemoteFailed, "label parameter "+c.Target, "the service did not take %s", strings.Join(refused, ", "))
			}
			if err != nil {
				return version, err
			}
		}
	}
	return version, nil
}

// Verify reads back what was copied, and returns the targets that do not have the value
// of their source, are not there, or are the source itself.
func (s *Service) Verify(ctx context.Context, list []Copying) (wrong []string, err error) {
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = c.Target
	}
	found, missing, err := s.Get(ctx, names, true)
	if err != nil {
		return nil, err
	}
	values := map[string]Parameter{}
	for _, p := range found {
		values[p.Name] = p
	}
	for _, c := range list {
		if p, ok := values[c.Target]; !ok || p.Value != c.Source.Value || p.Type != c.Source.Type || p.ARN == c.Source.ARN {
			wrong = append(wrong, c.Target)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(append(wrong, missing...)))), nil
}
