package simulator

import (
	"bufio"
	"encoding/json"
	"net/http"

	"github.com/ssmdeck/ssmdeck/internal/simulator/control"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// PatchesPath is where all that the simulator knows about patches can be read with
// GET, as JSON, so that what the operations answer can be counted again:
// ?account=ID&region=NAME for another account or Region, ?node=ID for one node.
const PatchesPath = "/simulator/patches"

// cellAt is the world that a request names, that of the scenario when it names
// none; nil when there is no such world.
func (s *Server) cellAt(account, region string) *world.World {
	if account == "" {
		account = s.world.Account()
	}
	if region == "" {
		region = s.world.Region()
	}
	return s.In(account, region)
}

// servePatches writes as it goes: a large fleet has a hundred megabytes of patches.
func (s *Server) servePatches(w http.ResponseWriter, r *http.Request) {
	wd := s.cellAt(r.FormValue("account"), r.FormValue("region"))
	if wd == nil {
		http.Error(w, "there is no such account or Region", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	out := bufio.NewWriterSize(w, 1<<16)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	// A failed write is the client's doing, who has gone; bufio keeps it.
	_, _ = out.WriteString(`{"now":`)
	_ = enc.Encode(wd.Now())
	_, _ = out.WriteString(`,"nodes":[`)
	separator := ""
	for n := range wd.RawPatching(r.FormValue("node")) {
		_, _ = out.WriteString(separator)
		if enc.Encode(n) != nil {
			return
		}
		separator = ","
	}
	_, _ = out.WriteString(`],"catalogue":[`)
	separator = ""
	for p := range wd.RawCatalogue {
		_, _ = out.WriteString(separator)
		if enc.Encode(p) != nil {
			return
		}
		separator = ","
	}
	_, _ = out.WriteString("]}\n")
	_ = out.Flush()
}

// serveSnapshot is behind the addresses of GetDeployablePatchSnapshotForInstance.
func (s *Server) serveSnapshot(w http.ResponseWriter, r *http.Request) {
	var data []byte
	ok := false
	if wd := s.In(r.PathValue("account"), r.PathValue("region")); wd != nil {
		data, ok = wd.SnapshotFile(r.PathValue("node"), r.PathValue("snapshot"))
	}
	if !ok {
		http.Error(w, "Request has expired", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(data)
}

// snapshotsPattern is the route of serveSnapshot.
const snapshotsPattern = "GET " + control.SnapshotsPath + "{account}/{region}/{node}/{snapshot}"
