package control

import (
	"net/http"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// groupResourcesPath is that of ListGroupResources of Resource Groups, which
// speaks REST with JSON.
const groupResourcesPath = "/list-group-resources"

// serveGroups answers a request to Resource Groups; false means that it is none.
func (h *Handler) serveGroups(w http.ResponseWriter, r *http.Request, body []byte) bool {
	if r.Method != http.MethodPost || r.URL.Path != groupResourcesPath {
		return false
	}
	out, err := h.listGroupResources(r, body)
	if err != nil {
		w.Header().Set("X-Amzn-ErrorType", errorCode(err))
		h.fail(w, err)
		return true
	}
	writeJSON(w, http.StatusOK, out)
	return true
}

type listGroupResourcesIn struct {
	Group     string `api:"len=0..1600"`
	GroupName string `api:"len=0..128"`
	Filters   []struct {
		Name   string   `api:"required,enum=resource-type"`
		Values []string `api:"required,items=1..5"`
	}
	MaxResults *int `api:"range=1..50"`
	NextToken  string
}

func (h *Handler) listGroupResources(r *http.Request, body []byte) (any, error) {
	caller, err := h.verifier.Verify(r, body, "resource-groups")
	if err != nil {
		return nil, err
	}
	if err := h.admit(caller, "resource-groups", "ListGroupResources"); err != nil {
		return nil, err
	}
	raw, err := decodeJSON(body)
	if err != nil {
		return nil, err
	}
	var in listGroupResourcesIn
	if err := bind(raw, &in); err != nil {
		return nil, err
	}
	name := in.Group
	if name == "" {
		name = in.GroupName
	}
	name = name[strings.LastIndexByte(name, '/')+1:] // of an ARN
	c := &call{Handler: h, ctx: r.Context(), caller: caller}
	members, known := c.world.GroupMembers(name)
	if !known {
		return nil, &apiError{Status: http.StatusNotFound, Code: "NotFoundException", Message: "Cannot find group: " + name}
	}
	for _, f := range in.Filters {
		members = slices.DeleteFunc(members, func(m world.GroupMember) bool { return !slices.Contains(f.Values, m.Type) })
	}
	members, token, err := page(c, "ListGroupResources", members, func(m world.GroupMember) string { return m.ARN }, in.NextToken, in.MaxResults, 50)
	if err != nil {
		return nil, &apiError{Code: "BadRequestException", Message: "The token is not valid."}
	}
	type identifier struct{ ResourceArn, ResourceType string }
	type item struct{ Identifier identifier }
	out := struct {
		Resources           []item
		ResourceIdentifiers []identifier
		QueryErrors         []string
		NextToken           string `json:"NextToken,omitempty"`
	}{Resources: []item{}, ResourceIdentifiers: []identifier{}, QueryErrors: []string{}, NextToken: token}
	for _, m := range members {
		id := identifier{m.ARN, m.Type}
		out.Resources = append(out.Resources, item{id})
		out.ResourceIdentifiers = append(out.ResourceIdentifiers, id)
	}
	return out, nil
}
