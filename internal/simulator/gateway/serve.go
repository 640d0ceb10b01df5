package gateway

import (
	"fmt"
	"net/http"
	"time"

	"github.com/coder/websocket"
	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// routes are the paths of the message gateway.
func (g *Gateway) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/data-channel/{id}", g.guard(g.serveData))
	mux.HandleFunc("POST /v1/data-channel/{id}", g.guard(g.createData))
	mux.HandleFunc("GET /v1/control-channel/{id}", g.guard(g.serveControl))
	mux.HandleFunc("POST /v1/control-channel/{id}", g.guard(g.createControl))
	return mux
}

// ServeHTTP serves data and control channels.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.mux.ServeHTTP(w, r) }

// guard counts a request as work and checks its signature. signer is the node
// whose role has signed it, empty for a user.
func (g *Gateway) guard(next func(w http.ResponseWriter, r *http.Request, signer string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !g.enter() {
			http.Error(w, errClosed.Error(), http.StatusServiceUnavailable)
			return
		}
		defer g.work.Done()
		signer := ""
		if g.cfg.Verify != nil {
			var err error
			if signer, err = g.cfg.Verify(r); err != nil {
				g.log.Info("request refused", "path", r.URL.Path, "error", err)
				http.Error(w, err.Error(), http.StatusForbidden)
				return
			}
		}
		next(w, r, signer)
	}
}

// serveData is one end of a data channel, for as long as its websocket lives.
func (g *Gateway) serveData(w http.ResponseWriter, r *http.Request, signer string) {
	s := g.session(r.PathValue("id"))
	if s == nil {
		http.Error(w, "no such session", http.StatusNotFound)
		return
	}
	k, err := g.accept(w, r, s.faults().MaxMessage)
	if err != nil {
		g.log.Info("upgrade refused", "session", s.spec.ID, "error", err)
		return
	}
	defer g.release(k)
	var open wire.OpenDataChannel
	if err := k.opening(&open); err != nil {
		_ = k.ws.Close(websocket.StatusPolicyViolation, "malformed opening")
		return
	}
	at := clientSide
	if open.ClientInstanceID != "" {
		at = agentSide
	}
	stranger := at == agentSide && open.ClientInstanceID != s.spec.NodeID || signer != "" && signer != open.ClientInstanceID
	if stranger || !g.redeem(open.TokenValue, s.spec.ID, at) {
		g.log.Info("token refused", "session", s.spec.ID)
		_ = k.ws.Close(websocket.StatusPolicyViolation, "invalid token")
		return
	}
	g.carry(s, at, k)
}

// carry copies between a socket and the session until the socket ends.
func (g *Gateway) carry(s *session, at side, k *socket) {
	written := make(chan struct{})
	g.work.Go(func() {
		defer close(written)
		k.write()
	})
	e := &end{box: k.box, kill: k.kill, bye: k.bye}
	if at == clientSide {
		f := s.faults()
		if f.CutEvery > 0 {
			defer time.AfterFunc(f.CutEvery, k.kill).Stop()
		}
		if f.ByeEvery > 0 {
			defer time.AfterFunc(f.ByeEvery, func() { k.bye(websocket.StatusNormalClosure, "Bye") }).Stop()
		}
	}
	s.attach(at, e)
	for {
		t, msg, err := k.read()
		if err != nil {
			break
		}
		if t == websocket.MessageBinary {
			s.receive(at, e, msg)
		}
	}
	s.detach(at, e)
	k.box.Close()
	<-written
}

// createData gives an agent its token for a data channel.
func (g *Gateway) createData(w http.ResponseWriter, r *http.Request, signer string) {
	id := r.PathValue("id")
	s := g.session(id)
	if s == nil || s.isOver() {
		http.Error(w, "Session is already terminated", http.StatusBadRequest)
		return
	}
	if signer != "" && signer != s.spec.NodeID {
		http.Error(w, "the session is on another instance", http.StatusForbidden)
		return
	}
	g.mu.Lock()
	value := g.issue(id, agentSide, s.faults())
	g.mu.Unlock()
	created(w, "CreateDataChannelResponse", value)
}

// created answers a channel creation. Agents take XML only.
func created(w http.ResponseWriter, root, value string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusCreated)
	// A token needs no escaping. An agent that does not get the answer asks again.
	_, _ = fmt.Fprintf(w, `<%[1]s xmlns=""><MessageSchemaVersion>1.0</MessageSchemaVersion><TokenValue>%[2]s</TokenValue></%[1]s>`, root, value)
}
