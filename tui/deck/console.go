package deck

import (
	"net/url"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/grid"
)

// Console is the address of a page of Systems Manager in the console of a place, on
// the host of its partition. path comes after /systems-manager/.
func Console(at grid.Place, path string) string {
	return console(at, "systems-manager/"+path)
}

// NodeConsole is the address of a managed node in the console.
func NodeConsole(at grid.Place, id string) string {
	return Console(at, "fleet-manager/managed-nodes/"+url.PathEscape(id)+"/general")
}

// InstanceConsole is the address of an instance in the console of EC2.
func InstanceConsole(at grid.Place, id string) string {
	return console(at, "ec2/home#InstanceDetails:instanceId="+url.PathEscape(id))
}

func console(at grid.Place, path string) string {
	host := "console.aws.amazon.com"
	switch {
	case strings.HasPrefix(at.Region, "cn-"):
		host = "console.amazonaws.cn"
	case strings.HasPrefix(at.Region, "us-gov-"):
		host = "console.amazonaws-us-gov.com"
	}
	page, fragment, _ := strings.Cut(path, "#")
	region := url.PathEscape(at.Region)
	address := "https://" + region + "." + host + "/" + page + "?region=" + region
	if fragment != "" {
		address += "#" + fragment
	}
	return address
}
