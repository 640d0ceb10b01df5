package control

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// The paths of OpenSearch Service, which speaks REST with JSON and signs as "es".
const (
	searchNamesPath   = "/2021-01-01/domain"
	searchDomainsPath = "/2021-01-01/opensearch/domain-info"
)

// serveSearch answers a request to OpenSearch Service; false means that it is
// none.
func (h *Handler) serveSearch(w http.ResponseWriter, r *http.Request, body []byte) bool {
	var (
		action string
		run    func(*call, []byte) (any, error)
	)
	switch {
	case r.Method == http.MethodGet && r.URL.Path == searchNamesPath:
		action, run = "ListDomainNames", (*call).listDomainNames
	case r.Method == http.MethodPost && r.URL.Path == searchDomainsPath:
		action, run = "DescribeDomains", (*call).describeDomains
	default:
		return false
	}
	caller, err := h.verifier.Verify(r, body, "es")
	if err == nil {
		err = h.admit(caller, "es", action)
	}
	var out any
	if err == nil {
		out, err = run(&call{Handler: h, ctx: r.Context(), caller: caller}, body)
	}
	if err != nil {
		h.fail(w, err)
		return true
	}
	writeJSON(w, http.StatusOK, out)
	return true
}

func (c *call) listDomainNames([]byte) (any, error) {
	type name struct{ DomainName, EngineType string }
	names := []name{}
	for _, d := range c.world.Databases(world.SearchDomain) {
		names = append(names, name{d.Name, "OpenSearch"})
	}
	return map[string]any{"DomainNames": names}, nil
}

// mostDomains is what one DescribeDomains takes.
const mostDomains = 5

func (c *call) describeDomains(body []byte) (any, error) {
	var in struct{ DomainNames []string }
	if err := json.Unmarshal(body, &in); err != nil || len(in.DomainNames) == 0 {
		return nil, invalid("1 validation error detected: Value null at 'domainNames' failed to satisfy constraint: Member must not be null")
	}
	if len(in.DomainNames) > mostDomains {
		return nil, invalid("Please provide a maximum of 5 domain names to describe.")
	}
	found := []any{}
	for _, d := range c.world.Databases(world.SearchDomain) {
		if !slices.Contains(in.DomainNames, d.Name) {
			continue
		}
		status := map[string]any{
			"DomainId": c.world.Account() + "/" + d.Name, "DomainName": d.Name, "ARN": c.world.ARN("es", "domain/"+d.Name),
			"Created": true, "Deleted": d.Status == "Deleting", "Processing": d.Status != "Active",
			"EngineVersion": "OpenSearch_2.13", "DomainProcessingStatus": d.Status,
		}
		switch {
		case d.VPC == "" && d.Endpoint != "":
			status["Endpoint"] = d.Endpoint
		case d.Endpoint != "":
			status["Endpoints"] = map[string]string{"vpc": d.Endpoint}
		}
		if d.VPC != "" {
			status["VPCOptions"] = map[string]any{"VPCId": d.VPC, "SubnetIds": d.Subnets, "SecurityGroupIds": d.SecurityGroups}
		}
		found = append(found, status)
	}
	return map[string]any{"DomainStatusList": found}, nil
}
