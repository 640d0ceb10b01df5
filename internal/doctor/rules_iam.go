package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/iam"
)

var iamChecks = []check{
	{id: "metadata", group: IAM, title: "the instance can get credentials", about: instances, needs: []source{srcMachine}, rule: hasMetadata},
	{
		id: "instance-profile", group: IAM, title: "something gives the agent a role", about: instances,
		needs: []source{srcMachine, srcNode, srcProfile, srcDefaultHost, srcOffered}, rule: hasProfile,
	},
	{id: "activation", group: IAM, title: "its activation", about: hybrids, needs: []source{srcNode, srcActivation}, rule: canRegisterAgain, kept: true},
	{id: "role", group: IAM, title: "the role exists", needs: []source{srcNode, srcMachine, srcDefaultHost, srcProfile, srcRole}, rule: roleExists},
	{id: "trust", group: IAM, title: "the role can be handed out", needs: []source{srcNode, srcMachine, srcDefaultHost, srcProfile, srcRole}, rule: roleTrusts},
	{id: "rights", group: IAM, title: "the role allows what an agent needs", needs: []source{srcNode, srcMachine, srcDefaultHost, srcProfile, srcRole, srcRights}, rule: roleAllows},
	{id: "session-rights", group: IAM, title: "the role allows what session settings need", needs: []source{srcRole, srcPreferences, srcExtras}, rule: roleAllowsExtras, kept: true},
	{id: "caller", group: IAM, title: "you may open a session", needs: []source{srcCaller}, rule: callerMay, kept: true},
}

// What an agent must be allowed: to register, to open channels, and, when it is
// old, to fetch messages.
var (
	registerActions = []string{"ssm:UpdateInstanceInformation"}
	channelActions  = []string{
		"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
	}
	messageActions = []string{"ec2messages:GetMessages", "ec2messages:AcknowledgeMessage", "ec2messages:SendReply"}
)

// The services that hand out roles.
const (
	principalEC2 = "ec2.amazonaws.com"
	principalSSM = "ssm.amazonaws.com"
)

func hasMetadata(f *facts) Check {
	m := f.machine.value
	switch {
	case f.machine.err != nil:
		return unread(f.machine.err)
	case m == nil:
		return skip("EC2 does not know the instance")
	case m.MetadataOff:
		return fail("metadata-off", "the instance metadata service is off").
			fix("aws ec2 modify-instance-metadata-options --http-endpoint enabled --http-tokens required --instance-id " + f.id)
	case m.TokensRequired:
		return pass("the instance metadata service is on, IMDSv2 only")
	}
	return pass("the instance metadata service is on, also IMDSv1")
}

func hasProfile(f *facts) Check {
	m := f.machine.value
	switch {
	case f.machine.err != nil:
		return unread(f.machine.err)
	case m == nil:
		return skip("EC2 does not know the instance")
	case m.Profile == "":
		return withoutProfile(f)
	case f.profile.err != nil:
		return unread(f.profile.err)
	}
	name := afterSlash(m.Profile)
	switch p := f.profile.value; {
	case p == nil:
		return fail("profile-missing", "instance profile %s does not exist", name).
			fix("aws ec2 describe-iam-instance-profile-associations --filters Name=instance-id,Values="+f.id,
				"aws ec2 replace-iam-instance-profile-association --association-id ID --iam-instance-profile Name=PROFILE")
	case p.Role == "":
		return fail("profile-empty", "instance profile %s holds no role", name).
			fix("aws iam add-role-to-instance-profile --instance-profile-name " + name + " --role-name ROLE")
	default:
		return pass("instance profile %s", name)
	}
}

// withoutProfile is about an instance that has nothing but default host
// management, if that.
func withoutProfile(f *facts) Check {
	attach := Repair{kind: attachProfile, Instance: f.id, Profile: f.offered.value}
	switch {
	case f.defaultHost.err != nil:
		return fail("no-instance-profile", "no instance profile; default host management is not known (%s)", unread(f.defaultHost.err).Evidence).repair(attach)
	case f.defaultHost.value == "":
		return fail("no-instance-profile", "no instance profile, and default host management is off").repair(attach)
	case older(f.agentVersion(), firstDefaultHost):
		return fail("default-host-agent-old", "no instance profile; default host management needs an agent from %s, and this is %s", firstDefaultHost, f.agentVersion()).repair(attach)
	case !f.machine.value.TokensRequired:
		return fail("default-host-imdsv1", "no instance profile; default host management needs IMDSv2, and IMDSv1 is still answered").
			fix("aws ec2 modify-instance-metadata-options --http-tokens required --instance-id " + f.id).repair(attach)
	}
	note := ""
	if f.agentVersion() == "" {
		note = "; it needs an agent from " + firstDefaultHost
	}
	return pass("default host management, role %s%s", f.defaultHost.value, note)
}

// noRole says why there is no role to look at; the zero Check when there is one.
func noRole(f *facts) (c Check, none bool) {
	switch m := f.machine.value; {
	case f.hybrid():
		if f.node.err != nil {
			return unread(f.node.err), true
		}
		if f.node.value == nil || f.node.value.IAMRole == "" {
			return skip("the role is not known"), true
		}
	case f.machine.err != nil:
		return unread(f.machine.err), true
	case m == nil:
		return skip("EC2 does not know the instance"), true
	case m.Profile == "" && f.defaultHost.value == "":
		return skip("there is none"), true
	case m.Profile != "" && f.profile.err != nil:
		return unread(f.profile.err), true
	case m.Profile != "" && (f.profile.value == nil || f.profile.value.Role == ""):
		return skip("there is none"), true
	}
	if f.role.err != nil {
		return unread(f.role.err), true
	}
	return Check{}, false
}

// roleName is the name of the role, also of one that does not exist.
func (f *facts) roleName() string {
	switch {
	case f.hybrid():
		if f.node.value != nil {
			return afterSlash(f.node.value.IAMRole)
		}
	case f.byDefaultHost():
		return afterSlash(f.defaultHost.value)
	case f.profile.value != nil:
		return f.profile.value.Role
	}
	return ""
}

func roleExists(f *facts) Check {
	if c, none := noRole(f); none {
		return c
	}
	if r := f.role.value; r == nil || r.Trust == "" && r.ARN == "" {
		return fail("role-missing", "role %s does not exist", f.roleName())
	}
	return pass("role %s", f.roleName())
}

func roleTrusts(f *facts) Check {
	c, none := noRole(f)
	switch {
	case none:
		return c
	case f.role.value == nil:
		return skip("the role does not exist")
	}
	principal := principalEC2
	if f.hybrid() || f.byDefaultHost() {
		principal = principalSSM
	}
	trusts, err := iam.Trusts(f.role.value.Trust, principal)
	switch {
	case err != nil:
		return skip("%v", err)
	case !trusts:
		return fail("trust-missing", "role %s does not trust %s", f.roleName(), principal).fix(
			fmt.Sprintf(`aws iam update-assume-role-policy --role-name %s --policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"%s"},"Action":"sts:AssumeRole"}]}'`, f.roleName(), principal))
	}
	return pass("%s may assume it", principal)
}

func roleAllows(f *facts) Check {
	c, none := noRole(f)
	switch {
	case none:
		return c
	case f.role.value == nil:
		return skip("the role does not exist")
	case f.rights.err != nil:
		return unread(f.rights.err)
	}
	wanted := slices.Concat(registerActions, channelActions)
	old := older(f.agentVersion(), firstWithoutMessages)
	if old {
		wanted = slices.Concat(wanted, messageActions)
	}
	attach := Repair{kind: attachPolicy, Role: f.roleName(), Partition: partition(f.role.value.ARN)}
	var lacking []iam.Decision
	perhaps := ""
	for _, action := range wanted {
		switch d := f.rights.value.decisionOf(action); d.Result {
		case iam.Allowed:
		case iam.Perhaps:
			perhaps = action
		case iam.Denied:
			return fail("policy-denies", "policy %s denies %s", d.Policy, action)
		case iam.OutOfBounds:
			return fail("boundary-denies", "the permissions boundary %s does not allow %s", afterSlash(f.role.value.Boundary), action)
		case iam.OutOfOrganization:
			return fail("organization-denies", "a policy of the organization does not allow %s", action)
		default:
			lacking = append(lacking, d)
		}
	}
	if len(lacking) > 0 {
		return lacks(f, lacking).repair(attach)
	}
	if perhaps != "" {
		return pass("allowed, %s under a condition (%s)", perhaps, f.rights.value.by)
	}
	return pass("allowed (%s)", f.rights.value.by)
}

// lacks says which part of the rights is not there.
func lacks(f *facts, lacking []iam.Decision) Check {
	var names []string
	register, channels := false, false
	for _, d := range lacking {
		names = append(names, d.Action)
		register = register || slices.Contains(registerActions, d.Action)
		channels = channels || slices.Contains(channelActions, d.Action)
	}
	cause := "role-lacks-policy"
	switch {
	case register && !channels:
		cause = "role-lacks-register"
	case channels && !register:
		cause = "role-lacks-messages"
	}
	return fail(cause, "role %s does not allow %s (%s)", f.roleName(), strings.Join(names, ", "), f.rights.value.by)
}

// sessionSettings are the actions that the settings of Session Manager ask of a
// node's role.
func sessionSettings(p interface{ Text(string) string }) (logs []string, key string) {
	if p.Text("s3BucketName") != "" {
		logs = append(logs, "s3:PutObject")
	}
	if p.Text("cloudWatchLogGroupName") != "" {
		logs = append(logs, "logs:CreateLogStream", "logs:PutLogEvents")
	}
	if p.Text("kmsKeyId") != "" {
		key = "kms:Decrypt"
	}
	return logs, key
}

func roleAllowsExtras(f *facts) Check {
	if f.preferences.err != nil {
		return unread(f.preferences.err)
	}
	logs, key := sessionSettings(f.preferences.value)
	switch {
	case len(logs) == 0 && key == "":
		return skip("sessions are neither logged nor encrypted")
	case f.role.err != nil:
		return unread(f.role.err)
	case f.role.value == nil:
		return skip("there is no role to look at")
	case f.extras.err != nil:
		return unread(f.extras.err)
	}
	for _, action := range logs {
		if d := f.extras.value.decisionOf(action); d.Result != iam.Allowed && d.Result != iam.Perhaps {
			return warn("role-lacks-logs", "session logs are on, and role %s does not allow %s", f.role.value.Name, action)
		}
	}
	if key != "" {
		if d := f.extras.value.decisionOf(key); d.Result != iam.Allowed && d.Result != iam.Perhaps {
			return warn("role-lacks-key", "sessions are encrypted, and role %s does not allow %s (the key's own policy may)", f.role.value.Name, key)
		}
	}
	return pass("allowed (%s)", f.extras.value.by)
}

func callerMay(f *facts) Check {
	switch {
	case f.caller.err != nil:
		return unread(f.caller.err)
	case len(f.caller.value.decisions) == 0:
		return skip("not asked for each of many")
	}
	d := f.caller.value.decisionOf("ssm:StartSession")
	switch d.Result {
	case iam.Allowed:
		return pass("ssm:StartSession is allowed (%s)", f.caller.value.by)
	case iam.Perhaps:
		return pass("ssm:StartSession is allowed under a condition (%s)", f.caller.value.by)
	case iam.Denied:
		return fail("caller-denied", "a policy of yours denies ssm:StartSession on %s", f.id)
	}
	return fail("caller-denied", "you are not allowed ssm:StartSession on %s", f.id)
}

func canRegisterAgain(f *facts) Check {
	n := f.node.value
	switch {
	case f.node.err != nil:
		return unread(f.node.err)
	case n == nil || n.Online():
		return skip("not needed any more")
	case f.activation.err != nil:
		return unread(f.activation.err)
	}
	create := "ssmdeck activation create --role " + afterSlash(n.IAMRole)
	if older := f.activation.value; older == nil {
		return warn("activation-deleted", "activation %s is gone; to register again the machine needs a new one", n.ActivationID).fix(create)
	} else if older.expired || !older.expires.IsZero() && f.now.After(older.expires) {
		return warn("activation-expired", "activation %s has expired; to register again the machine needs a new one", older.id).fix(create)
	}
	return pass("activation %s", f.activation.value.id)
}

func afterSlash(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }

// partition is that of an ARN.
func partition(arn string) string {
	if parts := strings.SplitN(arn, ":", 3); len(parts) == 3 {
		return parts[1]
	}
	return "aws"
}
