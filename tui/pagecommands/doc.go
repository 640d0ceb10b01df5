// Package pagecommands is the page Commands of the dashboard.
package pagecommands

import _ "github.com/ssmdeck/ssmdeck/tui/deck"
