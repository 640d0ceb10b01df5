package dash

import (
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/grid"
)

// consolePage is the address of a page of Systems Manager in the console, in the
// partition of the Region.
func consolePage(at grid.Place, page string) string {
	domain := "console.aws.amazon.com"
	switch {
	case strings.HasPrefix(at.Region, "us-gov-"):
		domain = "console.amazonaws-us-gov.com"
	case strings.HasPrefix(at.Region, "cn-"):
		domain = "console.amazonaws.cn"
	}
	return "https://" + at.Region + "." + domain + "/systems-manager/" + page + "?region=" + at.Region
}
