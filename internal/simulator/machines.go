package simulator

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/hostshell"
	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// machines makes the machines of the nodes and closes those of the host.
type machines struct {
	allowRoot bool
	region    string
	now       func() time.Time
	hosts     []*hostshell.Machine
	pool      machinePool
}

// make is a world.MachineMaker.
func (m *machines) make(n world.Node, spec world.NodeSpec, dial world.DialFunc) (shell.Machine, error) {
	if spec.Shell != world.ShellHost {
		build := func() shell.Machine { return virtual.New(m.virtualSpec(n, spec, dial)) }
		if spec.Generated() {
			return lazyMachine{key: n.ID, pool: &m.pool, build: build}, nil
		}
		return build(), nil
	}
	host, err := hostshell.New(hostshell.Options{AllowRoot: m.allowRoot})
	if err != nil {
		return nil, err
	}
	m.hosts = append(m.hosts, host)
	return host, nil
}

// Close ends what host machines still run and removes their scratch files.
func (m *machines) Close() error {
	var errs []error
	for _, h := range m.hosts {
		errs = append(errs, h.Close())
	}
	return errors.Join(errs...)
}

func (m *machines) virtualSpec(n world.Node, spec world.NodeSpec, dial world.DialFunc) virtual.Spec {
	host, _, _ := strings.Cut(n.ComputerName, ".")
	distro := n.PlatformName
	if n.Platform != virtual.Windows {
		distro += " " + n.PlatformVersion
	}
	return virtual.Spec{
		Hostname: host, NodeID: n.ID, OS: n.Platform, Distro: distro, IP: n.IP, Tags: n.Tags,
		Services: serviceStates(spec.Services), Files: spec.Files, Packages: spec.Packages,
		Clock: m.now, Region: m.region, InstanceType: n.InstanceType,
		Dial: func(ctx context.Context, _, addr string) (net.Conn, error) {
			host, port, err := net.SplitHostPort(addr)
			if err != nil {
				return nil, err
			}
			number, err := strconv.Atoi(port)
			if err != nil {
				return nil, err
			}
			return dial(ctx, host, number)
		},
	}
}

// serviceStates translates the words of scenarios (those of systemctl) into
// those of virtual machines. No services at all is left to their default.
func serviceStates(services map[string]string) map[string]string {
	if services == nil {
		return nil
	}
	words := map[string]string{"active": virtual.Running, "inactive": virtual.Stopped, "failed": virtual.Failed}
	states := make(map[string]string, len(services))
	for name, state := range services {
		states[name] = words[state]
	}
	return states
}
