package world

import (
	"fmt"
	"strconv"
	"time"
)

// mostGenerated is how many nodes one scenario can ask for.
const mostGenerated = 50_000

// FleetSpec asks for nodes beside those that are listed, so that a scenario can
// be as large as a real account. They are the same at each start: names that
// count up (web-00001), ids and addresses made from the number, all Linux and
// online unless the other keys say otherwise.
//
// Their machines are made when something runs on them, and only the last few
// are kept: what a command leaves behind on one is not there for long.
type FleetSpec struct {
	Count int      `yaml:"count"`
	Names []string `yaml:"names"` // taken in turn, which is also the tag role; node when absent
	// So many of Count, here and there. Of the first four a node is one at most.
	Hybrid    int `yaml:"hybrid"`    // mi-…
	Stopped   int `yaml:"stopped"`   // instances that do not run, nor are connected
	Unmanaged int `yaml:"unmanaged"` // running, and unknown to Systems Manager
	Lost      int `yaml:"lost"`      // not connected
	Windows   int `yaml:"windows"`
	Outdated  int `yaml:"outdated"`  // with an older agent
	Unscanned int `yaml:"unscanned"` // for patches, ever
	Ubuntu    int `yaml:"ubuntu"`    // of those that are not Windows
	RedHat    int `yaml:"redhat"`    // likewise
	// PatchGroups are dealt out in turn as the tag PatchGroup.
	PatchGroups []string `yaml:"patch_groups"`
}

func (c *checker) fleet() {
	f := c.sc.Fleet
	if f.Count < 0 || f.Count > mostGenerated {
		c.failf(at("fleet", "count"), "count: %d is not from 0 to %d", f.Count, mostGenerated)
		return
	}
	for _, part := range []struct {
		key string
		n   int
	}{
		{"hybrid", f.Hybrid},
		{"stopped", f.Stopped},
		{"unmanaged", f.Unmanaged},
		{"lost", f.Lost},
		{"windows", f.Windows},
		{"outdated", f.Outdated},
		{"unscanned", f.Unscanned},
		{"ubuntu", f.Ubuntu},
		{"redhat", f.RedHat},
	} {
		if part.n < 0 || part.n > f.Count {
			c.failf(at("fleet", part.key), "%s: %d is not from 0 to the count", part.key, part.n)
			return
		}
	}
	if sum := f.Hybrid + f.Stopped + f.Unmanaged + f.Lost; sum > f.Count {
		c.failf(at("fleet"), "fleet: %d nodes are hybrid, stopped, unmanaged or lost, of %d", sum, f.Count)
	}
	for _, name := range f.Names {
		c.match(at("fleet", "names"), name, `[a-zA-Z][a-zA-Z0-9.-]{0,40}`)
	}
	if f.Count > 0 && c.err == nil {
		c.sc.generate()
	}
}

// place deals out the numbers below count in another order, a different one for
// each salt.
func place(i, salt, count int) int {
	step := 7919 // a prime
	if count%step == 0 {
		step = 7907 // another
	}
	return (i*step + salt) % count
}

// generate adds the nodes and the networks they are in.
func (sc *Scenario) generate() {
	f := sc.Fleet
	names := f.Names
	if len(names) == 0 {
		names = []string{"node"}
	}
	for k := range generatedVPCs {
		sc.VPCs = append(sc.VPCs, VPCSpec{ID: generatedVPC(k), Name: "fleet-" + strconv.Itoa(k+1), CIDR: fmt.Sprintf("10.%d.0.0/16", 200+k)})
	}
	sizes := []string{"t3.medium", "m6i.large", "c6i.xlarge", "r6i.2xlarge"}
	stages := []string{"prod", "prod", "staging", "dev"}
	teams := []string{"shop", "data", "search", "pay", "core"}
	for i := range f.Count {
		role := names[i%len(names)]
		n := NodeSpec{
			ID:        fmt.Sprintf("i-0f1ee7%011x", i+1),
			Name:      fmt.Sprintf("%s-%05d", role, i/len(names)+1),
			IP:        fmt.Sprintf("10.%d.%d.%d", 200+i%generatedVPCs, i/generatedVPCs/250, 1+i/generatedVPCs%250),
			VPC:       generatedVPC(i % generatedVPCs),
			Subnet:    fmt.Sprintf("subnet-0f1ee7%011x", i%generatedVPCs*3+i/generatedVPCs%3),
			AZ:        sc.Region + string(rune('a'+i/generatedVPCs%3)),
			Launch:    time.Duration(1+i%400) * 24 * time.Hour,
			IAMRole:   role + "-node",
			Shell:     ShellVirtual,
			Ping:      "online", // whatever the network says
			generated: true,
			Tags:      map[string]string{"role": role, "env": stages[i/len(names)%len(stages)], "team": teams[i/3%len(teams)]},

			InstanceType: sizes[i/7%len(sizes)],
			Services:     map[string]string{"nginx": "active", "amazon-ssm-agent": "active"},
		}
		if place(i, 1, f.Count) < f.Windows {
			n.Platform, n.Services = "windows", nil
		}
		if place(i, f.Count/2, f.Count) < f.Outdated {
			n.AgentVersion = "3.3.2299.0"
		}
		switch at := place(i, 2, f.Count); {
		case n.Platform == "windows":
		case at < f.Ubuntu:
			n.PlatformName, n.PlatformVersion = "Ubuntu", []string{"22.04", "24.04"}[i%2]
		case at < f.Ubuntu+f.RedHat:
			n.PlatformName, n.PlatformVersion = "Red Hat Enterprise Linux", []string{"9.4", "8.10"}[i%2]
		}
		if place(i, f.Count/3, f.Count) < f.Unscanned {
			n.Patch = &PatchSpec{Never: true}
		}
		if len(f.PatchGroups) > 0 {
			n.Tags["PatchGroup"] = f.PatchGroups[i/len(names)%len(f.PatchGroups)]
		}
		switch at := place(i, 0, f.Count); {
		case at < f.Hybrid:
			n.ID = fmt.Sprintf("mi-0f1ee7%011x", i+1)
			n.VPC, n.Subnet, n.AZ, n.Launch, n.InstanceType = "", "", "", 0, ""
			n.IP = fmt.Sprintf("192.168.%d.%d", i/250%250, 1+i%250)
		case at < f.Hybrid+f.Stopped:
			n.State, n.Ping = StateStopped, ""
		case at < f.Hybrid+f.Stopped+f.Unmanaged:
			n.Managed, n.Ping = ptr(false), ""
		case at < f.Hybrid+f.Stopped+f.Unmanaged+f.Lost:
			n.Ping = "lost"
		}
		sc.Nodes = append(sc.Nodes, n)
	}
}

const generatedVPCs = 3

func generatedVPC(k int) string { return fmt.Sprintf("vpc-0f1ee7%011x", k+1) }

// Generated reports whether the node is one of FleetSpec's, whose machine need
// not be kept.
func (n NodeSpec) Generated() bool { return n.generated }
