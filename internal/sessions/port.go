package sessions

import (
	"context"
	"strconv"

	"github.com/ssmdeck/ssmdeck/portforward"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

// PortOpener opens the sessions of forwards to one node.
type PortOpener struct {
	Service *Service
	Target  string // node id
	Reason  string
	// Document replaces AWS's own documents. It gets the same parameters.
	Document string
	Options  []sessionclient.Option
}

var _ portforward.Opener = (*PortOpener)(nil)

// Open starts a port session for spec.
func (o *PortOpener) Open(ctx context.Context, spec portforward.Spec, events func(sessionclient.Event)) (portforward.Session, error) {
	req := Request{
		Target: o.Target, Document: DocumentPort, Reason: o.Reason,
		Parameters: map[string][]string{"portNumber": {strconv.Itoa(spec.Port)}},
	}
	if spec.Local > 0 {
		req.Parameters["localPortNumber"] = []string{strconv.Itoa(spec.Local)}
	}
	if spec.Host != "" {
		req.Document = DocumentRemoteHost
		req.Parameters["host"] = []string{spec.Host}
	}
	if o.Document != "" {
		req.Document = o.Document
	}
	return o.Service.Open(ctx, req, append([]sessionclient.Option{sessionclient.WithEvents(events)}, o.Options...)...)
}
