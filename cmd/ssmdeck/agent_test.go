package main

import (
	"context"
	"encoding/json"
	"net"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ssmdeck/ssmdeck/internal/simulator/agenttest"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// joined holds the agents of running scripts.
type joinedAgents struct {
	mu sync.Mutex
	by map[string]*joinedAgent // by node
}

type joinedAgent struct {
	*agenttest.Agent
	leave func()
}

var agents = joinedAgents{by: map[string]*joinedAgent{}}

// cmdAgent plays a machine outside EC2, with the stand-in for the real agent:
//
//	agent join NAME FILE    register with what `activation create -o json` wrote to FILE, and work: its id goes to $NAME
//	agent leave NODE        stop working, as when the machine is switched off
//	agent lost NODE         wait until the service has noticed
//	agent return NODE       work again
func cmdAgent(ts *testscript.TestScript, neg bool, args []string) {
	switch {
	case !neg && len(args) == 3 && args[0] == "join":
		ts.Setenv(args[1], agents.join(ts, args[2]))
	case !neg && len(args) == 2 && args[0] == "leave":
		agents.get(ts, args[1]).leave()
	case !neg && len(args) == 2 && args[0] == "return":
		agents.get(ts, args[1]).work(ts)
	case !neg && len(args) == 2 && args[0] == "lost":
		waitForLost(ts, args[1])
	default:
		ts.Fatalf("usage: agent join NAME FILE | leave NODE | lost NODE | return NODE")
	}
}

func waitForLost(ts *testscript.TestScript, node string) {
	w := simulators.get(ts).World()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if n, ok := w.NodeInfo(node); ok && n.Ping == world.PingLost {
			return
		}
		time.Sleep(20 * time.Millisecond) // nothing happens when time passes: there is nothing to wait on
	}
	ts.Fatalf("%s is not lost", node)
}

// cmdPortOf puts the port of a URL into a variable.
func cmdPortOf(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: port-of NAME URL")
	}
	u, err := url.Parse(args[1])
	ts.Check(err)
	ts.Setenv(args[0], u.Port())
}

func (j *joinedAgents) get(ts *testscript.TestScript, node string) *joinedAgent {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.by[node] == nil {
		ts.Fatalf("no agent has joined as %s", node)
	}
	return j.by[node]
}

func (j *joinedAgents) join(ts *testscript.TestScript, file string) string {
	var made struct{ ID, Code string }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(file)), &made))
	srv := simulators.get(ts)
	var dialer net.Dialer
	a := &joinedAgent{Agent: agenttest.New(agenttest.Config{
		Endpoint: srv.URL(), Region: srv.World().Region(), Hostname: "till-7.shop", PingEvery: 500 * time.Millisecond,
		Machine: virtual.New(virtual.Spec{Hostname: "till-7", OS: virtual.Linux, IP: "192.0.2.7"}),
		Dial: func(ctx context.Context, host string, port int) (net.Conn, error) {
			if host == "" {
				host = "127.0.0.1"
			}
			return dialer.DialContext(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		},
	})}
	ts.Check(a.Register(context.Background(), made.Code, made.ID))
	a.work(ts)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.by[a.ID] = a
	return a.ID
}

// work lets the agent work until leave or the end of the script.
func (a *joinedAgent) work(ts *testscript.TestScript) {
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- a.Run(ctx, func() { close(ready) }) }()
	a.leave = sync.OnceFunc(func() {
		cancel()
		<-ended
	})
	select {
	case <-ready:
	case err := <-ended:
		ended <- nil
		cancel()
		ts.Fatalf("the agent does not join: %v", err)
	}
	ts.Defer(a.leave)
	w := simulators.get(ts).World()
	for deadline := time.Now().Add(patience); !w.Connected(a.ID); {
		if time.Now().After(deadline) {
			ts.Fatalf("%s has no control channel", a.ID)
		}
		time.Sleep(5 * time.Millisecond) // agents hear nothing when they are connected
	}
}
