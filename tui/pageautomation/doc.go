// Package pageautomation is the page Automation of the dashboard.
package pageautomation

import _ "github.com/ssmdeck/ssmdeck/tui/deck"
