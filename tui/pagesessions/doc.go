// Package pagesessions is the page Sessions of the dashboard.
package pagesessions

import _ "github.com/ssmdeck/ssmdeck/tui/deck"
