package doctor

import (
	"fmt"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
)

var agentChecks = []check{
	{id: "instance", group: Agent, title: "the instance runs", about: instances, needs: []source{srcMachine, srcImpaired}, rule: instanceRuns},
	{id: "known", group: Agent, title: "Systems Manager knows it", needs: []source{srcNode}, rule: isKnown},
	{id: "ping", group: Agent, title: "the agent calls", needs: []source{srcNode}, rule: agentCalls},
	{id: "channel", group: Agent, title: "sessions can be opened", needs: []source{srcNode, srcConnected}, rule: hasChannel},
	{id: "version", group: Agent, title: "the agent is new enough", needs: []source{srcNode}, rule: newEnough},
}

func instanceRuns(f *facts) Check {
	m := f.machine.value
	switch {
	case f.machine.err != nil:
		return unread(f.machine.err)
	case m == nil:
		return fail("instance-terminated", "EC2 does not know the instance, or no more")
	}
	switch m.State {
	case "running":
	case "pending":
		return fail("instance-pending", "its state is pending")
	case "terminated", "shutting-down":
		return fail("instance-terminated", "its state is %s", m.State)
	default:
		return fail("instance-stopped", "its state is %s", m.State).fix("aws ec2 start-instances --instance-ids " + f.id)
	}
	switch {
	case f.impaired.err != nil:
		return pass("running; its status checks are not known (%v)", unread(f.impaired.err).Evidence)
	case f.impaired.value != "":
		return fail("instance-impaired", "running, and a status check fails (%s)", f.impaired.value).
			fix("aws ec2 get-console-output --latest --instance-id "+f.id, "aws ec2 reboot-instances --instance-ids "+f.id)
	}
	return pass("running, status checks pass")
}

// symptom is a failure that other checks explain.
func symptom(format string, args ...any) Check { return fail("", format, args...) }

func isKnown(f *facts) Check {
	switch n := f.node.value; {
	case f.node.err != nil:
		return unread(f.node.err)
	case n == nil:
		return symptom("not a managed node in %s", f.region)
	default:
		return pass("%s, %s", n.ResourceType, strings.TrimSpace(n.PlatformName+" "+n.PlatformVersion))
	}
}

func agentCalls(f *facts) Check {
	n := f.node.value
	switch {
	case f.node.err != nil:
		return unread(f.node.err)
	case n == nil:
		return skip("no agent has registered")
	case n.Online():
		return pass("online, %s", n.PingAge(f.now))
	case n.Ping == fleet.Inactive:
		return fail("node-inactive", "inactive, %s", n.PingAge(f.now)).fix(restart(n.Platform)...)
	default:
		return symptom("connection %s, %s", n.Ping, n.PingAge(f.now))
	}
}

func hasChannel(f *facts) Check {
	n := f.node.value
	switch {
	case f.node.err != nil:
		return unread(f.node.err)
	case n == nil:
		return skip("no agent has registered")
	case f.connected.err != nil:
		return unread(f.connected.err)
	case f.connected.value:
		return pass("the message gateway has the agent's channel")
	case !n.Online():
		return symptom("the message gateway has no channel of the agent")
	default:
		return fail("no-channel", "the agent reports, and the message gateway has no channel of it").fix(restart(n.Platform)...)
	}
}

func newEnough(f *facts) Check {
	n := f.node.value
	switch {
	case f.node.err != nil:
		return unread(f.node.err)
	case n == nil || n.AgentVersion == "":
		return skip("the version is not known")
	}
	update := fmt.Sprintf("ssmdeck run --document AWS-UpdateSSMAgent -t %s", f.id)
	if older(n.AgentVersion, firstSession) {
		return fail("agent-too-old", "%s; sessions need %s", n.AgentVersion, firstSession).fix(update)
	}
	var lacking []string
	for _, feature := range []struct{ since, name string }{
		{firstPort, "forwarding of ports and SSH"}, {firstRemoteHost, "forwarding to other hosts"}, {firstDefaultHost, "default host management"},
	} {
		if older(n.AgentVersion, feature.since) {
			lacking = append(lacking, fmt.Sprintf("%s (%s)", feature.name, feature.since))
		}
	}
	switch {
	case len(lacking) > 0:
		return warn("agent-lacks-features", "%s, too old for %s", n.AgentVersion, strings.Join(lacking, ", ")).fix(update)
	case n.AgentLatest != nil && !*n.AgentLatest:
		return warn("agent-outdated", "%s; there is a newer one", n.AgentVersion).fix(update)
	}
	return pass("%s", n.AgentVersion)
}

// there marks commands that are to be typed on the machine itself.
const there = "# on the machine:"

// restart are the commands that show and restart an agent, on its machine.
func restart(platform string) []string {
	switch platform {
	case "windows":
		return []string{there, "Get-Service AmazonSSMAgent; Restart-Service AmazonSSMAgent", `Get-Content -Tail 50 $env:ProgramData\Amazon\SSM\Logs\amazon-ssm-agent.log`}
	case "macos":
		return []string{there, "sudo launchctl kickstart -k system/com.amazon.aws.ssm", "tail -n 50 /var/log/amazon/ssm/amazon-ssm-agent.log"}
	default:
		return []string{
			there, "systemctl status amazon-ssm-agent || snap services amazon-ssm-agent", "sudo systemctl restart amazon-ssm-agent",
			"sudo tail -n 50 /var/log/amazon/ssm/amazon-ssm-agent.log",
		}
	}
}

// conclude is the check of the agent itself: it is at fault when it does not
// work and everything around it is as it must be.
func conclude(f *facts, others []Check) Check {
	c := conclusion(f, others)
	c.Target, c.Group, c.ID, c.Title = f.id, Agent, "service", "the agent on the machine"
	return c
}

func conclusion(f *facts, others []Check) Check {
	var found, perhaps, unread []string
	for _, o := range others {
		switch {
		case o.Status == Fail && o.Cause != "":
			found = append(found, o.Cause)
		case o.Cause == "route-elsewhere":
			perhaps = append(perhaps, o.Cause)
		case o.Err != nil:
			unread = append(unread, o.ID)
		}
	}
	n := f.node.value
	switch {
	case f.node.err != nil:
		return skip("whether the agent calls is not known")
	case n != nil && n.Online():
		return pass("it calls; nothing to say against it")
	case len(found) > 0:
		return skip("first repair %s", strings.Join(found, ", "))
	case len(perhaps) > 0:
		return skip("first look at %s", strings.Join(perhaps, ", "))
	}
	doubt := ""
	if len(unread) > 0 {
		doubt = "; not looked at: " + strings.Join(unread, ", ")
	}
	platform := "linux"
	if m := f.machine.value; m != nil && m.Platform != "" {
		platform = m.Platform
	}
	hints := "see that it runs, that its proxy leads to " + f.endpoint() + ", and that the clock is right"
	if n == nil {
		return fail("agent-absent", "nothing is missing around the machine, and no agent has registered%s: %s", doubt, hints).fix(restart(platform)...)
	}
	return fail("agent-silent", "nothing is missing around the machine, and its agent is silent%s: %s", doubt, hints).fix(restart(n.Platform)...)
}

// endpoint is the address of Systems Manager that agents call.
func (f *facts) endpoint() string {
	if strings.HasPrefix(f.region, "cn-") {
		return "ssm." + f.region + ".amazonaws.com.cn"
	}
	return "ssm." + f.region + ".amazonaws.com"
}
