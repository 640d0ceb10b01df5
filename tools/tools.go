// Package tools holds the versions of the programs that check ssmdeck; see
// go.mod.
package tools
