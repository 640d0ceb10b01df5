// Package rolling is what commands that work on nodes in waves share: their flags, the file
// with their state and its lock, and what is said when they stop.
package rolling
