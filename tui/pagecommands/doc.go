// Package pagecommands is the view of Run Command: the runs of the last day, and the
// board of one of them while it goes on, with a cell for each node, failures first
// and equal outputs folded.
package pagecommands
