package world

import (
	"encoding/base64"
	"maps"
	"strings"
)

// maxTags is how many tags a resource can have.
const maxTags = 50

func encode64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// tagsOf returns the tags of a resource to be read or changed. Callers hold w.mu.
func (w *World) tagsOf(kind, id string) (*map[string]string, error) {
	missing := Errorf("InvalidResourceId", "The resource ID isn't valid. Verify that you entered the correct ID and try again.")
	switch kind {
	case "ManagedInstance":
		if n, ok := w.nodes[id]; ok && strings.HasPrefix(id, "mi-") {
			return &n.Tags, nil
		}
	case "Parameter":
		if p, ok := w.params[w.parameterKey(id)]; ok {
			return &p.Tags, nil
		}
	case "Document":
		if d, err := w.document(id); err == nil {
			return &d.Tags, nil
		}
	default:
		return nil, Errorf("InvalidResourceType", "The simulator has no resources of type %s.", kind)
	}
	return nil, missing
}

// Tags returns the tags of a resource.
func (w *World) Tags(kind, id string) (map[string]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	tags, err := w.tagsOf(kind, id)
	if err != nil {
		return nil, err
	}
	return maps.Clone(*tags), nil
}

// ChangeTags sets and removes tags of a resource.
func (w *World) ChangeTags(kind, id string, set map[string]string, remove []string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	tags, err := w.tagsOf(kind, id)
	if err != nil {
		return err
	}
	next := maps.Clone(*tags)
	if next == nil {
		next = map[string]string{}
	}
	maps.Copy(next, set)
	for _, k := range remove {
		delete(next, k)
	}
	if len(next) > maxTags {
		return Errorf("TooManyTagsError", "The Targets parameter includes too many tags. Remove one or more tags and try the command again.")
	}
	*tags = next
	return nil
}
