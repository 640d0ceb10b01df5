package deck

import (
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/grid"
)

// Console is the address of a page of Systems Manager in the console of a place, on
// the host of its partition. path comes after /systems-manager/.
func Console(at grid.Place, path string) string {
	host := "console.aws.amazon.com"
	switch {
	case strings.HasPrefix(at.Region, "cn-"):
		host = "console.amazonaws.cn"
	case strings.HasPrefix(at.Region, "us-gov-"):
		host = "console.amazonaws-us-gov.com"
	}
	page, fragment, _ := strings.Cut(path, "#")
	address := "https://" + at.Region + "." + host + "/systems-manager/" + page + "?region=" + at.Region
	if fragment != "" {
		address += "#" + fragment
	}
	return address
}
