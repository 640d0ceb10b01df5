package control

import "github.com/ssmdeck/ssmdeck/internal/simulator/world"

func tagOperations() map[string]operation {
	return map[string]operation{
		"ListTagsForResource":    untyped((*call).listTagsForResource),
		"AddTagsToResource":      untyped((*call).addTagsToResource),
		"RemoveTagsFromResource": untyped((*call).removeTagsFromResource),
	}
}

// mayTag asks whether the caller may do something with the tags of a resource;
// only those of parameters are guarded one by one.
func (c *call) mayTag(action string, in request) error {
	if in.text("ResourceType") != "Parameter" {
		return nil
	}
	return c.mayWrite(action, in.text("ResourceId"))
}

func (c *call) listTagsForResource(in request) (any, error) {
	if err := c.mayTag("ListTagsForResource", in); err != nil {
		return nil, err
	}
	tags, err := c.world.Tags(in.text("ResourceType"), in.text("ResourceId"))
	if err != nil {
		return nil, err
	}
	return world.Record{"TagList": tagList(tags)}, nil
}

func (c *call) addTagsToResource(in request) (any, error) {
	if err := c.mayTag("AddTagsToResource", in); err != nil {
		return nil, err
	}
	set := map[string]string{}
	for _, t := range in.objects("Tags") {
		set[t.text("Key")] = t.text("Value")
	}
	return empty(), c.world.ChangeTags(in.text("ResourceType"), in.text("ResourceId"), set, nil)
}

func (c *call) removeTagsFromResource(in request) (any, error) {
	if err := c.mayTag("RemoveTagsFromResource", in); err != nil {
		return nil, err
	}
	return empty(), c.world.ChangeTags(in.text("ResourceType"), in.text("ResourceId"), nil, in.texts("TagKeys"))
}
