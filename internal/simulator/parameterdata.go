package simulator

import (
	"bufio"
	"encoding/json"
	"net/http"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// ParametersPath is where all that Parameter Store holds can be read with GET, as
// JSON: parameters with all versions in plain, the events of the last changes and
// policies, and who has called what how often. ?account=ID&region=NAME asks
// another account or Region.
const ParametersPath = "/simulator/parameters"

func (s *Server) serveParameters(w http.ResponseWriter, r *http.Request) {
	c := s.cellIn(r.FormValue("account"), r.FormValue("region"))
	if c == nil {
		http.Error(w, "there is no such account or Region", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	out := bufio.NewWriterSize(w, 1<<16)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	// A failed write is the client's doing, who has gone; bufio keeps it.
	_, _ = out.WriteString(`{"now":`)
	_ = enc.Encode(c.world.Now())
	_, _ = out.WriteString(`,"parameters":[`)
	separator := ""
	for p := range c.world.RawParameters() {
		_, _ = out.WriteString(separator)
		if enc.Encode(p) != nil {
			return
		}
		separator = ","
	}
	_, _ = out.WriteString(`],"events":`)
	_ = enc.Encode(append([]world.ParameterEvent{}, c.world.ParameterEvents()...))
	_, _ = out.WriteString(`,"calls":`)
	_ = enc.Encode(c.api.CallsBy())
	_, _ = out.WriteString("}\n")
	_ = out.Flush()
}

// cellIn is the cell that a request names, that of the scenario when it names
// none; nil when there is no such one.
func (s *Server) cellIn(account, region string) *cell {
	for _, c := range s.all() {
		if (account == "" || account == c.world.Account()) && (region == "" && c.world.Region() == s.world.Region() || region == c.world.Region()) {
			return c
		}
	}
	return nil
}
