// Package window is the noun window: maintenance windows, their targets and tasks, what they
// will do and did, files that describe them.
package window
