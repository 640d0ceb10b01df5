// Package pagefleet is the page Fleet of the dashboard.
package pagefleet

import _ "github.com/ssmdeck/ssmdeck/tui/deck"
