package pagefleet

import (
	"net/url"
	"strings"
)

// consoleURL is the page of a node in the AWS console of its partition.
func consoleURL(r *row) string {
	region := url.PathEscape(r.at.Region)
	host := "https://" + region + ".console.aws.amazon.com"
	switch {
	case strings.HasPrefix(r.at.Region, "cn-"):
		host = "https://" + region + ".console.amazonaws.cn"
	case strings.HasPrefix(r.at.Region, "us-gov-"):
		host = "https://" + region + ".console.amazonaws-us-gov.com"
	}
	if !r.managed {
		return host + "/ec2/home?region=" + region + "#InstanceDetails:instanceId=" + url.PathEscape(r.n.ID)
	}
	return host + "/systems-manager/fleet-manager/managed-nodes/" + url.PathEscape(r.n.ID) + "/general?region=" + region
}
