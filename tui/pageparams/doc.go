// Package pageparams is the page Parameters of the dashboard.
package pageparams

import _ "github.com/ssmdeck/ssmdeck/tui/deck"
