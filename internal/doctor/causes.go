package doctor

import "slices"

// Cause is something that keeps a machine from being managed or reached.
type Cause struct {
	ID    string // stable
	Group string
	Means string // one sentence, without a full stop
	Do    string // what to do, one sentence
	Fixes bool   // --fix can do it
}

// causes are all that there are, in the order of the documentation.
var causes = []Cause{
	{"instance-terminated", Agent, "the instance was terminated", "use another; its node disappears by itself", false},
	{"instance-stopped", Agent, "the instance is stopped, or stopping", "start it: aws ec2 start-instances", false},
	{"instance-pending", Agent, "the instance has not started yet", "wait a few minutes", false},
	{"instance-impaired", Agent, "a status check of EC2 fails: the machine or its system hangs", "look at its console output; reboot, or stop and start it", false},
	{"node-inactive", Agent, "the service counts the node as no longer in use", "restart the agent, or deregister the node", false},
	{"agent-absent", Agent, "nothing is missing around the instance, and its agent has never registered", "install or start the agent on it; look at its proxy and its clock", false},
	{"agent-silent", Agent, "nothing is missing around the machine, and its agent has stopped calling", "restart the agent; look at its log, proxy, clock and disk", false},
	{"no-channel", Agent, "the agent reports, and has no channel for sessions", "restart the agent; see that nothing blocks ssmmessages", false},
	{"agent-too-old", Agent, "the agent is too old for sessions", "update the agent", false},
	{"agent-lacks-features", Agent, "the agent is too old for some features", "update the agent", false},
	{"agent-outdated", Agent, "there is a newer agent", "update it when it suits", false},

	{"metadata-off", IAM, "the instance metadata service is off: nothing on the instance gets credentials", "switch it on: aws ec2 modify-instance-metadata-options", false},
	{"no-instance-profile", IAM, "the instance has no instance profile, and default host management is off", "attach one", true},
	{"profile-missing", IAM, "the instance profile was deleted", "attach another", false},
	{"profile-empty", IAM, "the instance profile holds no role", "add a role to it", false},
	{"default-host-agent-old", IAM, "the agent is too old for default host management", "update the agent, or attach an instance profile", true},
	{"default-host-imdsv1", IAM, "default host management needs IMDSv2, and the instance still answers IMDSv1", "require IMDSv2, or attach an instance profile", true},
	{"role-missing", IAM, "the role does not exist", "make it again, or give the machine another", false},
	{"trust-missing", IAM, "the role may not be assumed by the service that hands it out", "correct the trust policy", false},
	{"role-lacks-policy", IAM, "the role does not allow what an agent needs", "attach AmazonSSMManagedInstanceCore", true},
	{"role-lacks-messages", IAM, "the role lets the agent register, and not open channels", "attach AmazonSSMManagedInstanceCore", true},
	{"role-lacks-register", IAM, "the role lets the agent open channels, and not register", "attach AmazonSSMManagedInstanceCore", true},
	{"policy-denies", IAM, "a policy of the role denies what the agent needs", "change the policy: another Allow does not help", false},
	{"boundary-denies", IAM, "the role's permissions boundary does not allow what the agent needs", "change the boundary", false},
	{"organization-denies", IAM, "a policy of the organization does not allow what the agent needs", "ask whoever owns the organization", false},
	{"role-lacks-logs", IAM, "session logs are on, and the role may not write them", "allow the bucket or log group", false},
	{"role-lacks-key", IAM, "sessions are encrypted, and the role may not use the key", "allow kms:Decrypt on the key", false},
	{"caller-denied", IAM, "you may not do it", "ask for the IAM actions that are named", false},
	{"activation-expired", IAM, "the activation has expired: the machine can not register again with it", "create a new activation", false},
	{"activation-deleted", IAM, "the activation is gone: the machine can not register again with it", "create a new activation", false},

	{"dns-support-off", Network, "the VPC resolves no names", "enable DNS support", true},
	{"dns-hostnames-off", Network, "the VPC resolves no private names, which endpoints need", "enable DNS hostnames", true},
	{"no-route", Network, "no route leads to the internet, and there are no endpoints", "create endpoints, or a NAT gateway", true},
	{"no-public-ip", Network, "the route leads to an internet gateway, and the instance has no public address", "give it one, or create endpoints", true},
	{"route-blackhole", Network, "the default route leads to something that is gone", "correct the route, or create endpoints", true},
	{"route-elsewhere", Network, "the default route leads where nobody sees from here", "look there, or create endpoints", false},
	{"no-ssm-endpoint", Network, "the endpoint to ssm is missing", "create it", true},
	{"no-ssmmessages-endpoint", Network, "the endpoint to ssmmessages is missing", "create it", true},
	{"no-ec2messages-endpoint", Network, "the endpoint to ec2messages is missing, which agents below 3.3.40.0 need", "create it, or update the agent", true},
	{"private-dns-off", Network, "there is an endpoint, and names do not lead to it", "enable its private DNS", true},
	{"endpoint-not-available", Network, "the endpoint does not work (pending, rejected, failed)", "accept it, or create it again", false},
	{"endpoint-group-closed", Network, "the security group of the endpoint does not let the machine in on 443", "open it", true},
	{"endpoint-policy-denies", Network, "the policy of the endpoint does not allow agents", "change the policy", false},
	{"group-blocks-out", Network, "the machine's security groups do not let it out on 443", "open one", true},
	{"acl-blocks-out", Network, "the network ACL does not let connections to 443 through", "change the ACL", false},
	{"acl-blocks-in", Network, "the network ACL does not let answers through (to ephemeral ports)", "change the ACL", false},
	{"no-s3-endpoint", Network, "no way leads to S3: patches, agent updates and logs there need it", "create a gateway endpoint", false},
	{"no-logs-endpoint", Network, "session logs go to CloudWatch Logs, and no way leads there", "create the endpoint", true},
	{"no-kms-endpoint", Network, "sessions are encrypted, and no way leads to KMS", "create the endpoint", true},

	{"no-credentials", Self, "there are no credentials, or they have expired", "log in", false},
	{"no-region", Self, "no Region is configured", "name one with --region", false},
	{"clock-wrong", Self, "the clock of this machine is wrong by more than AWS accepts", "set it", false},
	{"endpoint-unreachable", Self, "Systems Manager can not be reached from here", "look at the network, proxy and Region", false},
	{"proxy-refuses", Self, "the proxy does not let calls through", "look at HTTPS_PROXY and NO_PROXY", false},
	{"certificate-unknown", Self, "the certificate is not one that this machine trusts", "name the CA in AWS_CA_BUNDLE", false},
	{"websocket-blocked", Self, "the message gateway can not be reached, or something takes the websocket apart", "look at the proxy", false},
	{"caller-lacks-actions", Self, "some commands are not allowed to you", "ask for the IAM actions that are named", false},
	{"no-terminal", Self, "this terminal can not show everything", "use another terminal, or --ascii", false},
}

// Causes returns all causes in the order of the documentation.
func Causes() []Cause { return slices.Clone(causes) }

// CauseOf returns the cause with an id.
func CauseOf(id string) (Cause, bool) {
	i := slices.IndexFunc(causes, func(c Cause) bool { return c.ID == id })
	if i < 0 {
		return Cause{}, false
	}
	return causes[i], true
}
