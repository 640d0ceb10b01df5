// Package pagepatch is the page Patch of the dashboard.
package pagepatch

import _ "github.com/ssmdeck/ssmdeck/tui/deck"
