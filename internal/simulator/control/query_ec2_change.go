package control

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

func (c *call) associateProfile(form url.Values) ([]element, error) {
	instance, profile := form.Get("InstanceId"), form.Get("IamInstanceProfile.Name")
	if arn := form.Get("IamInstanceProfile.Arn"); profile == "" {
		profile = arn[strings.LastIndexByte(arn, '/')+1:]
	}
	if instance == "" {
		return nil, missingParameter("InstanceId")
	}
	if err := c.world.AttachProfile(instance, profile); err != nil {
		return nil, err
	}
	return []element{el("iamInstanceProfileAssociation", leaf("associationId", "iip-assoc-"+stableHex(instance)), leaf("instanceId", instance),
		el("iamInstanceProfile", leaf("arn", c.profileARN(profile)), leaf("id", "AIPA"+profile)), leaf("state", "associating"))}, nil
}

func (c *call) modifyVPCAttribute(form url.Values) ([]element, error) {
	name, hostnames := "EnableDnsSupport.Value", false
	if form.Has("EnableDnsHostnames.Value") {
		name, hostnames = "EnableDnsHostnames.Value", true
	}
	value, err := strconv.ParseBool(form.Get(name))
	if err != nil {
		return nil, missingParameter("an attribute")
	}
	return []element{truth("return", true)}, c.world.SetDNS(form.Get("VpcId"), hostnames, value)
}

func (c *call) modifyEndpoint(form url.Values) ([]element, error) {
	id := form.Get("VpcEndpointId")
	if id == "" {
		return nil, missingParameter("VpcEndpointId")
	}
	value, err := strconv.ParseBool(form.Get("PrivateDnsEnabled"))
	if err != nil {
		return nil, &apiError{Code: "InvalidParameterCombination", Message: "The simulator changes PrivateDnsEnabled only"}
	}
	return []element{truth("return", true)}, c.world.SetPrivateDNS(id, value)
}

func (c *call) createEndpoint(form url.Values) ([]element, error) {
	name := form.Get("ServiceName")
	service, ours := strings.CutPrefix(name, c.endpointService(""))
	e := world.EndpointSpec{
		VPC: form.Get("VpcId"), Service: service, Type: form.Get("VpcEndpointType"), Policy: form.Get("PolicyDocument"),
		Subnets: numbered(form, "SubnetId."), SecurityGroups: numbered(form, "SecurityGroupId."),
	}
	private := form.Get("PrivateDnsEnabled") != "false"
	e.PrivateDNS = &private
	switch {
	case e.VPC == "":
		return nil, missingParameter("VpcId")
	case !ours || strings.Contains(service, "."):
		return nil, &apiError{Code: "InvalidServiceName", Message: "The Vpc Endpoint Service '" + name + "' does not exist"}
	case e.Type != "Interface":
		return nil, &apiError{Code: "InvalidParameter", Message: "The simulator makes endpoints of the type Interface only"}
	case e.Policy != "" && !json.Valid([]byte(e.Policy)):
		return nil, &apiError{Code: "InvalidPolicyDocument", Message: "The policy is not valid JSON"}
	}
	e, err := c.world.CreateEndpoint(e)
	if err != nil {
		return nil, err
	}
	return []element{c.endpointItem("vpcEndpoint", e)}, nil
}

func (c *call) createGroup(form url.Values) ([]element, error) {
	name := form.Get("GroupName")
	switch {
	case name == "":
		return nil, missingParameter("GroupName")
	case form.Get("GroupDescription") == "":
		return nil, missingParameter("GroupDescription")
	case strings.HasPrefix(name, "sg-"):
		return nil, &apiError{Code: "InvalidParameterValue", Message: "invalid value for parameter groupName: " + name}
	}
	id, err := c.world.CreateGroup(form.Get("VpcId"), name)
	if err != nil {
		return nil, err
	}
	return []element{truth("return", true), leaf("groupId", id)}, nil
}

func (c *call) authorizeIngress(form url.Values) ([]element, error) { return c.authorize(form, false) }

func (c *call) authorizeEgress(form url.Values) ([]element, error) { return c.authorize(form, true) }

func (c *call) authorize(form url.Values, outbound bool) ([]element, error) {
	group := form.Get("GroupId")
	if group == "" {
		return nil, missingParameter("GroupId")
	}
	for i := 1; ; i++ {
		at := "IpPermissions." + strconv.Itoa(i) + "."
		protocol := form.Get(at + "IpProtocol")
		if protocol == "" {
			if i == 1 {
				return nil, missingParameter("IpPermissions")
			}
			return []element{truth("return", true)}, nil
		}
		r := world.RuleSpec{Ports: "all"}
		switch from, to := form.Get(at+"FromPort"), form.Get(at+"ToPort"); {
		case protocol == "-1":
		case protocol != "tcp":
			return nil, &apiError{Code: "InvalidParameterValue", Message: "The simulator knows rules about TCP only"}
		case !isPort(from) || !isPort(to):
			return nil, &apiError{Code: "InvalidParameterValue", Message: "Invalid TCP port range (" + from + "-" + to + ")"}
		case from == to:
			r.Ports = from
		default:
			r.Ports = from + "-" + to
		}
		for k := 1; ; k++ {
			n := strconv.Itoa(k)
			peers := []string{form.Get(at + "Groups." + n + ".GroupId"), form.Get(at + "IpRanges." + n + ".CidrIp"), form.Get(at + "Ipv6Ranges." + n + ".CidrIpv6")}
			before := len(r.Peers)
			for _, p := range peers {
				if p != "" {
					r.Peers = append(r.Peers, p)
				}
			}
			if len(r.Peers) == before {
				break
			}
		}
		if err := c.world.Authorize(group, outbound, r); err != nil {
			return nil, err
		}
	}
}

func isPort(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= 0 && n <= 65535
}
