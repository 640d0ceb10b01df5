// Package run is the command run and the noun command: Run Command on many nodes, its runs
// listed, taken up, repeated and compared.
package run
