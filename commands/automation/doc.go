// Package automation is the noun automation: runbooks started, followed and stopped.
package automation
