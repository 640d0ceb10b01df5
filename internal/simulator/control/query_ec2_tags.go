package control

import (
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The limits of tags of EC2 resources, in characters.
const (
	mostTagKey   = 127
	mostTagValue = 256
	mostTagged   = 1000 // resources in one call
)

func missingParameter(name string) error {
	return &apiError{Code: "MissingParameter", Message: "The request must contain the parameter " + name}
}

// tagRequest reads the resources and tags of CreateTags and DeleteTags. A tag
// without a value has none: DeleteTags takes that for any.
func tagRequest(form url.Values) (ids []string, tags map[string]*string, err error) {
	ids = numbered(form, "ResourceId.")
	switch {
	case len(ids) == 0:
		return nil, nil, missingParameter("resourceIdSet")
	case len(ids) > mostTagged:
		return nil, nil, &apiError{Code: "InvalidParameterValue", Message: "The number of resources exceeds 1000"}
	}
	tags = map[string]*string{}
	for i := 1; form.Has("Tag." + strconv.Itoa(i) + ".Key"); i++ {
		at := "Tag." + strconv.Itoa(i)
		key := form.Get(at + ".Key")
		switch {
		case key == "" || utf8.RuneCountInString(key) > mostTagKey:
			return nil, nil, &apiError{Code: "InvalidParameterValue", Message: "Tag key exceeds the maximum length of 127 characters, or is empty"}
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return nil, nil, &apiError{Code: "InvalidParameterValue", Message: "Tag keys starting with 'aws:' are reserved for internal use"}
		}
		tags[key] = nil
		if form.Has(at + ".Value") {
			value := form.Get(at + ".Value")
			if utf8.RuneCountInString(value) > mostTagValue {
				return nil, nil, &apiError{Code: "InvalidParameterValue", Message: "Tag value exceeds the maximum length of 256 characters"}
			}
			tags[key] = &value
		}
	}
	return ids, tags, nil
}

func (c *call) createTags(form url.Values) ([]element, error) {
	ids, tags, err := tagRequest(form)
	if err != nil {
		return nil, err
	}
	if len(tags) == 0 {
		return nil, missingParameter("tagSet")
	}
	set := map[string]string{}
	for k, v := range tags {
		set[k] = ""
		if v != nil {
			set[k] = *v
		}
	}
	return []element{truth("return", true)}, c.world.ChangeInstanceTags(ids, set, nil)
}

func (c *call) deleteTags(form url.Values) ([]element, error) {
	ids, tags, err := tagRequest(form)
	if err != nil {
		return nil, err
	}
	if len(tags) == 0 { // all that are not reserved
		found, err := c.world.Instances(ids)
		if err != nil {
			return nil, err
		}
		for _, i := range found {
			for k := range i.Tags {
				tags[k] = nil
			}
		}
	}
	return []element{truth("return", true)}, c.world.ChangeInstanceTags(ids, nil, tags)
}
