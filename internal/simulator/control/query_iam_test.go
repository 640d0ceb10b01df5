package control

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const siteScenario = `
region: us-east-1
vpcs:
  - {id: vpc-0000000a, name: app, cidr: 10.0.0.0/16, dns_hostnames: false}
security_groups:
  - {id: sg-0000000a, name: app, vpc: vpc-0000000a}
subnets:
  - {id: subnet-0000000a, vpc: vpc-0000000a, cidr: 10.0.0.0/24, exit: none, az: us-east-1a}
  - {id: subnet-0000000b, vpc: vpc-0000000a, cidr: 10.0.1.0/24, exit: internet, acl: {inbound: [{ports: "443"}, {action: deny, ports: 1024-65535}]}}
vpc_endpoints:
  - {id: vpce-0000000a, vpc: vpc-0000000a, service: ssm, security_groups: [sg-0000000a]}
roles:
  - {name: app, trust: [ec2.amazonaws.com], policies: [mine], inline: {extra: '{"Statement": [{"Effect": "Deny", "Action": "ssm:DescribeDocument", "Resource": "*"}]}'}, boundary: mine}
policies:
  - {name: mine, document: '{"Statement": [{"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}]}'}
instance_profiles:
  - {name: hollow}
  - {name: app-profile, role: app}
nodes:
  - {id: i-0aaaaaaaaaaaaaaaa, name: app-1, ip: 10.0.0.10, security_groups: [sg-0000000a], instance_profile: none, metadata: v1, public_ip: 203.0.113.1, impaired: true}
  - {id: i-0bbbbbbbbbbbbbbbb, name: app-2, ip: 10.0.1.10, instance_profile: hollow, state: stopped}
denied: [ssm:StartSession]
`

func TestIAMAnswers(t *testing.T) {
	f := newFixture(t, siteScenario, nil)
	const role, policy = "arn:aws:iam::123456789012:role/app", "arn:aws:iam::123456789012:policy/mine"
	for _, tt := range []struct {
		action string
		params []string
		tag    string
		want   string
	}{
		{"GetInstanceProfile", []string{"InstanceProfileName", "app-profile"}, "RoleName", "app"},
		{"GetInstanceProfile", []string{"InstanceProfileName", "hollow"}, "RoleName", ""},
		{"GetRole", []string{"RoleName", "app"}, "PermissionsBoundaryArn", policy},
		{"ListAttachedRolePolicies", []string{"RoleName", "app"}, "PolicyArn", policy},
		{"ListRolePolicies", []string{"RoleName", "app"}, "member", "extra"},
		{"GetRolePolicy", []string{"RoleName", "app", "PolicyName", "extra"}, "PolicyName", "extra"},
		{"GetPolicy", []string{"PolicyArn", policy}, "DefaultVersionId", "v1"},
		{"GetPolicy", []string{"PolicyArn", "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"}, "PolicyName", "AmazonSSMManagedInstanceCore"},
		{"SimulatePrincipalPolicy", []string{
			"PolicySourceArn", role, "ActionNames.member.1", "ssm:GetDocument", "ActionNames.member.2", "ssm:DescribeDocument", "ActionNames.member.3", "s3:GetObject",
		}, "EvalDecision", "allowed explicitDeny implicitDeny"},
		{"SimulatePrincipalPolicy", []string{
			"PolicySourceArn", "arn:aws:iam::123456789012:user/demo", "ActionNames.member.1", "ssm:StartSession", "ActionNames.member.2", "ssm:SendCommand",
		}, "EvalDecision", "implicitDeny allowed"},
	} {
		status, body := f.form("iam", iamVersion, tt.action, tt.params...)
		if got := all(body, tt.tag); status != http.StatusOK || got != tt.want {
			t.Errorf("%s %v: status %d, %s is %q, want %q", tt.action, tt.params, status, tt.tag, got, tt.want)
		}
	}
	_, body := f.form("iam", iamVersion, "GetRolePolicy", "RoleName", "app", "PolicyName", "extra")
	document, err := url.PathUnescape(all(body, "PolicyDocument"))
	if err != nil || !strings.Contains(document, `"Effect": "Deny"`) {
		t.Errorf("document %q, %v", document, err)
	}
}

func TestIAMRefuses(t *testing.T) {
	f := newFixture(t, siteScenario, nil)
	for _, tt := range []struct {
		action string
		params []string
		status int
		code   string
	}{
		{"GetInstanceProfile", []string{"InstanceProfileName", "none"}, 404, "NoSuchEntity"},
		{"ListAttachedRolePolicies", []string{"RoleName", "none"}, 404, "NoSuchEntity"},
		{"ListRolePolicies", []string{"RoleName", "none"}, 404, "NoSuchEntity"},
		{"GetRolePolicy", []string{"RoleName", "app", "PolicyName", "none"}, 404, "NoSuchEntity"},
		{"GetPolicy", []string{"PolicyArn", "arn:aws:iam::aws:policy/none"}, 404, "NoSuchEntity"},
		{"GetPolicyVersion", []string{"PolicyArn", "arn:aws:iam::123456789012:policy/mine", "VersionId", "v2"}, 404, "NoSuchEntity"},
		{"AttachRolePolicy", []string{"RoleName", "none", "PolicyArn", "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"}, 404, "NoSuchEntity"},
		{"AttachRolePolicy", []string{"RoleName", "app", "PolicyArn", "arn:aws:iam::aws:policy/none"}, 404, "NoSuchEntity"},
		{"SimulatePrincipalPolicy", []string{"PolicySourceArn", "arn:aws:iam::123456789012:role/app"}, 400, "InvalidInput"},
		{"SimulatePrincipalPolicy", []string{"PolicySourceArn", "arn:aws:iam::123456789012:role/none", "ActionNames.member.1", "a:B"}, 404, "NoSuchEntity"},
		{"SimulatePrincipalPolicy", []string{"PolicySourceArn", "app", "ActionNames.member.1", "a:B"}, 400, "InvalidInput"},
		{"DeleteRole", []string{"RoleName", "app"}, 400, "InvalidAction"},
	} {
		status, body := f.form("iam", iamVersion, tt.action, tt.params...)
		if got := all(body, "Code"); status != tt.status || got != tt.code {
			t.Errorf("%s %v: %d %s, want %d %s", tt.action, tt.params, status, got, tt.status, tt.code)
		}
	}
}

func TestSiteAnswers(t *testing.T) {
	f := newFixture(t, siteScenario, nil)
	for _, tt := range []struct {
		action string
		params []string
		tag    string
		want   string
	}{
		{"DescribeSubnets", nil, "subnetId", "subnet-0000000a subnet-0000000b"},
		{"DescribeSubnets", []string{"Filter.1.Name", "vpc-id", "Filter.1.Value.1", "vpc-0000000f"}, "subnetId", ""},
		{"DescribeRouteTables", []string{"Filter.1.Name", "vpc-id", "Filter.1.Value.1", "vpc-0000000a"}, "destinationCidrBlock", "10.0.0.0/16 10.0.0.0/16 0.0.0.0/0"},
		{"DescribeNetworkAcls", nil, "ruleNumber", "100 32767 100 32767 100 200 32767 100 32767"},
		{"DescribeNetworkAcls", nil, "from", "443 1024"},
		{"DescribeVpcEndpoints", []string{"VpcEndpointId.1", "vpce-0000000a"}, "serviceName", "com.amazonaws.us-east-1.ssm"},
		{"DescribeVpcEndpoints", nil, "privateDnsEnabled", "true"},
		{"DescribeVpcAttribute", []string{"VpcId", "vpc-0000000a", "Attribute", "enableDnsHostnames"}, "value", "false"},
		{"DescribeVpcAttribute", []string{"VpcId", "vpc-0000000a", "Attribute", "enableDnsSupport"}, "value", "true"},
		{"DescribeInstanceStatus", nil, "status", "ok passed impaired failed"},
		{"DescribeInstances", []string{"InstanceId.1", "i-0aaaaaaaaaaaaaaaa"}, "httpTokens", "optional"},
		{"DescribeInstances", []string{"InstanceId.1", "i-0aaaaaaaaaaaaaaaa"}, "ipAddress", "203.0.113.1"},
		{"DescribeInstances", nil, "arn", "arn:aws:iam::123456789012:instance-profile/hollow"},
	} {
		status, body := f.form("ec2", ec2Version, tt.action, tt.params...)
		if got := all(body, tt.tag); status != http.StatusOK || got != tt.want {
			t.Errorf("%s %v: status %d, %s is %q, want %q\n%s", tt.action, tt.params, status, tt.tag, got, tt.want, body)
		}
	}
}

func TestSiteChanges(t *testing.T) {
	f := newFixture(t, siteScenario, nil)
	call := func(wantCode, action string, params ...string) string {
		t.Helper()
		_, body := f.form("ec2", ec2Version, action, params...)
		if got := all(body, "Code"); got != wantCode {
			t.Errorf("%s %v: %q, want %q", action, params, got, wantCode)
		}
		return body
	}
	endpoint := []string{"VpcId", "vpc-0000000a", "ServiceName", "com.amazonaws.us-east-1.ssmmessages", "VpcEndpointType", "Interface", "SubnetId.1", "subnet-0000000a", "SecurityGroupId.1", "sg-0000000a"}
	call("InvalidParameter", "CreateVpcEndpoint", endpoint...) // hostnames are off
	call("", "ModifyVpcAttribute", "VpcId", "vpc-0000000a", "EnableDnsHostnames.Value", "true")
	call("InvalidVpcID.NotFound", "ModifyVpcAttribute", "VpcId", "vpc-0000000f", "EnableDnsHostnames.Value", "true")
	call("MissingParameter", "ModifyVpcAttribute", "VpcId", "vpc-0000000a")
	if id := all(call("", "CreateVpcEndpoint", endpoint...), "vpcEndpointId"); !strings.HasPrefix(id, "vpce-") {
		t.Errorf("id %q", id)
	}
	call("InvalidParameter", "CreateVpcEndpoint", endpoint...) // one is there
	call("InvalidServiceName", "CreateVpcEndpoint", "VpcId", "vpc-0000000a", "ServiceName", "com.amazonaws.eu-west-1.ssm", "VpcEndpointType", "Interface")
	call("InvalidSubnetId.NotFound", "CreateVpcEndpoint", "VpcId", "vpc-0000000a", "ServiceName", "com.amazonaws.us-east-1.kms", "VpcEndpointType", "Interface", "SubnetId.1", "subnet-0000000f")
	call("InvalidGroup.NotFound", "CreateVpcEndpoint", "VpcId", "vpc-0000000a", "ServiceName", "com.amazonaws.us-east-1.kms", "VpcEndpointType", "Interface", "SecurityGroupId.1", "sg-0000000f")
	call("", "ModifyVpcEndpoint", "VpcEndpointId", "vpce-0000000a", "PrivateDnsEnabled", "false")
	call("InvalidVpcEndpointId.NotFound", "ModifyVpcEndpoint", "VpcEndpointId", "vpce-0000000f", "PrivateDnsEnabled", "true")

	group := all(call("", "CreateSecurityGroup", "VpcId", "vpc-0000000a", "GroupName", "new", "GroupDescription", "x"), "groupId")
	call("InvalidGroup.Duplicate", "CreateSecurityGroup", "VpcId", "vpc-0000000a", "GroupName", "new", "GroupDescription", "x")
	call("MissingParameter", "CreateSecurityGroup", "VpcId", "vpc-0000000a", "GroupName", "other")
	rule := []string{"GroupId", group, "IpPermissions.1.IpProtocol", "tcp", "IpPermissions.1.FromPort", "443", "IpPermissions.1.ToPort", "443"}
	call("", "AuthorizeSecurityGroupIngress", append(rule, "IpPermissions.1.IpRanges.1.CidrIp", "10.0.0.0/16")...)
	call("", "AuthorizeSecurityGroupIngress", append(rule, "IpPermissions.1.Groups.1.GroupId", "sg-0000000a")...)
	call("InvalidPermission.Duplicate", "AuthorizeSecurityGroupIngress", append(rule, "IpPermissions.1.IpRanges.1.CidrIp", "10.0.0.0/16")...)
	call("InvalidGroup.NotFound", "AuthorizeSecurityGroupIngress", append(rule, "IpPermissions.1.Groups.1.GroupId", "sg-0000000f")...)
	call("MissingParameter", "AuthorizeSecurityGroupEgress", "GroupId", group)
	call("InvalidParameterValue", "AuthorizeSecurityGroupEgress", "GroupId", group, "IpPermissions.1.IpProtocol", "tcp", "IpPermissions.1.FromPort", "x", "IpPermissions.1.ToPort", "y", "IpPermissions.1.IpRanges.1.CidrIp", "10.0.0.0/16")
	if _, body := f.form("ec2", ec2Version, "DescribeSecurityGroups", "GroupId.1", group); !strings.Contains(all(body, "groupId"), "sg-0000000a") {
		t.Errorf("the rule is not there: %s", body)
	}

	call("", "AssociateIamInstanceProfile", "InstanceId", "i-0aaaaaaaaaaaaaaaa", "IamInstanceProfile.Name", "app-profile")
	call("IncorrectState", "AssociateIamInstanceProfile", "InstanceId", "i-0aaaaaaaaaaaaaaaa", "IamInstanceProfile.Name", "app-profile")
	call("InvalidInstanceID.NotFound", "AssociateIamInstanceProfile", "InstanceId", "i-0fffffffffffffff0", "IamInstanceProfile.Name", "app-profile")
}
