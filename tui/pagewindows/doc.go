// Package pagewindows is the page Windows of the dashboard.
package pagewindows

import _ "github.com/ssmdeck/ssmdeck/tui/deck"
