// Package pageoverview is the page Overview of the dashboard.
package pageoverview

import _ "github.com/ssmdeck/ssmdeck/tui/deck"
