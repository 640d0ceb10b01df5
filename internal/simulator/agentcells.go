package simulator

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"

	"github.com/ssmdeck/ssmdeck/internal/simulator/control"
)

// maxRegistration bounds what is read of a registration to find whose it is.
const maxRegistration = 64 << 10

// cellOfMachine finds the cell of a machine that has no access key: one that
// registers, by its activation, or one that signs with the key it registered. It
// returns nil for any other request.
func (s *Server) cellOfMachine(r *http.Request) *cell {
	node, activation := control.NodeOf(r), ""
	if node == "" {
		if activation = activationOf(r); activation == "" {
			return nil
		}
	}
	for _, c := range s.all() {
		if _, err := c.world.NodeKey(node); err == nil || activation != "" && c.world.HasActivation(activation) {
			return c
		}
	}
	return nil
}

// activationOf is the activation that a registration is for, and empty for any
// other request. The body is put back.
func activationOf(r *http.Request) string {
	if r.Header.Get("X-Amz-Target") != "AmazonSSM.RegisterManagedInstance" {
		return ""
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRegistration))
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
	var in struct {
		ActivationID string `json:"ActivationId"`
	}
	if err != nil || json.Unmarshal(body, &in) != nil {
		return ""
	}
	return in.ActivationID
}
