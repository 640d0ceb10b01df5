package control

import "github.com/ssmdeck/ssmdeck/internal/simulator/world"

func tagOperations() map[string]operation {
	return map[string]operation{
		"ListTagsForResource":    untyped((*call).listTagsForResource),
		"AddTagsToResource":      untyped((*call).addTagsToResource),
		"RemoveTagsFromResource": untyped((*call).removeTagsFromResource),
	}
}

func (c *call) listTagsForResource(in request) (any, error) {
	tags, err := c.world.Tags(in.text("ResourceType"), in.text("ResourceId"))
	if err != nil {
		return nil, err
	}
	return world.Record{"TagList": tagList(tags)}, nil
}

func (c *call) addTagsToResource(in request) (any, error) {
	set := map[string]string{}
	for _, t := range in.objects("Tags") {
		set[t.text("Key")] = t.text("Value")
	}
	return empty(), c.world.ChangeTags(in.text("ResourceType"), in.text("ResourceId"), set, nil)
}

func (c *call) removeTagsFromResource(in request) (any, error) {
	return empty(), c.world.ChangeTags(in.text("ResourceType"), in.text("ResourceId"), nil, in.texts("TagKeys"))
}
