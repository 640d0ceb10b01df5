package world

import (
	"encoding/base64"
	"maps"
	"strings"
)

// maxTags is how many tags a resource can have.
const maxTags = 50

func encode64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// taggedKinds are the tables of the resource types that are records.
var taggedKinds = map[string]string{
	"MaintenanceWindow": KindWindow,
	"PatchBaseline":     KindBaseline,
	"OpsItem":           KindOpsItem,
	"OpsMetadata":       KindOpsMetadata,
	"Association":       KindAssociation,
	"CloudConnector":    KindCloudConnector,
}

func errNoResource() error {
	return Errorf("InvalidResourceId", "The resource ID isn't valid. Verify that you entered the correct ID and try again.")
}

// tagsOf returns the tags of a resource to be read or changed. Callers hold w.mu.
func (w *World) tagsOf(kind, id string) (*map[string]string, error) {
	switch kind {
	case "ManagedInstance":
		if n, ok := w.nodes[id]; ok && strings.HasPrefix(id, "mi-") {
			return &n.Tags, nil
		}
	case "Parameter":
		if p, ok := w.params.get(w.parameterKey(id)); ok {
			return &p.Tags, nil
		}
	case "Document":
		if d, err := w.document(id); err == nil {
			return &d.Tags, nil
		}
	case "Automation":
		if a, ok := w.automations[id]; ok {
			return &a.Tags, nil
		}
	default:
		return nil, Errorf("InvalidResourceType", "The resource type isn't valid: %s.", kind)
	}
	return nil, errNoResource()
}

// Tags returns the tags of a resource.
func (w *World) Tags(kind, id string) (map[string]string, error) {
	if table, ok := taggedKinds[kind]; ok {
		return w.recordTags(table, id)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	tags, err := w.tagsOf(kind, id)
	if err != nil {
		return nil, err
	}
	return maps.Clone(*tags), nil
}

func (w *World) recordTags(table, id string) (tags map[string]string, err error) {
	err = w.Tables(func(t *Tables) error {
		r, ok := t.Get(table, id)
		if !ok {
			return errNoResource()
		}
		tags = maps.Clone(TagsOf(r))
		return nil
	})
	return tags, err
}

// TagsOf are the tags of a record; they must not be changed.
func TagsOf(r Record) map[string]string {
	tags, _ := r[tagsMember].(map[string]string)
	return tags
}

// ChangeTags sets and removes tags of a resource.
func (w *World) ChangeTags(kind, id string, set map[string]string, remove []string) error {
	if err := checkReserved(set); err != nil {
		return err
	}
	if table, ok := taggedKinds[kind]; ok {
		return w.Tables(func(t *Tables) error {
			r, ok := t.Get(table, id)
			if !ok {
				return errNoResource()
			}
			next, err := changed(TagsOf(r), set, remove)
			if err != nil {
				return err
			}
			t.Change(table, id, Record{tagsMember: next})
			return nil
		})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	tags, err := w.tagsOf(kind, id)
	if err != nil {
		return err
	}
	next, err := changed(*tags, set, remove)
	if err != nil {
		return err
	}
	*tags = next
	return nil
}

// changed is old with and without some tags.
func changed(old, set map[string]string, remove []string) (map[string]string, error) {
	next := maps.Clone(old)
	if next == nil {
		next = map[string]string{}
	}
	maps.Copy(next, set)
	for _, k := range remove {
		delete(next, k)
	}
	if len(next) > maxTags {
		return nil, Errorf("TooManyTagsError", "The Targets parameter includes too many tags. Remove one or more tags and try the command again.")
	}
	return next, nil
}

// CheckTags refuses the tags that a new resource can't have.
func CheckTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return Errorf("ValidationException", "A resource can have at most %d tags, not %d.", maxTags, len(tags))
	}
	return checkReserved(tags)
}

// checkReserved refuses the keys that are the service's own.
func checkReserved(tags map[string]string) error {
	for k := range tags {
		if strings.HasPrefix(strings.ToLower(k), "aws:") {
			return Errorf("ValidationException", "Tag key %s is reserved: keys can't begin with aws:.", k)
		}
	}
	return nil
}
