package control

import "github.com/ssmdeck/ssmdeck/internal/simulator/world"

func labelOperations() map[string]operation {
	return map[string]operation{
		"LabelParameterVersion":   untyped((*call).labelParameterVersion),
		"UnlabelParameterVersion": untyped((*call).unlabelParameterVersion),
	}
}

func (c *call) labelParameterVersion(in request) (any, error) {
	if err := c.mayWrite("LabelParameterVersion", in.text("Name")); err != nil {
		return nil, err
	}
	version, bad, err := c.world.LabelParameter(in.text("Name"), int64(in.number("ParameterVersion", 0)), in.texts("Labels"))
	if err != nil {
		return nil, err
	}
	return world.Record{"InvalidLabels": some(bad), "ParameterVersion": version}, nil
}

func (c *call) unlabelParameterVersion(in request) (any, error) {
	if err := c.mayWrite("UnlabelParameterVersion", in.text("Name")); err != nil {
		return nil, err
	}
	removed, bad, err := c.world.UnlabelParameter(in.text("Name"), int64(in.number("ParameterVersion", 0)), in.texts("Labels"))
	if err != nil {
		return nil, err
	}
	return world.Record{"RemovedLabels": some(removed), "InvalidLabels": some(bad)}, nil
}

// some is texts, never null.
func some(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}
