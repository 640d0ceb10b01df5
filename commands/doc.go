// Package commands is the command line: a cobra tree with one file per command.
// A command parses and checks what was typed, calls one service and renders what
// comes back; rules about AWS live in the services.
//
// This is the only package that prints and the only one that decides exit codes.
// Data goes to standard output, everything else to standard error.
package commands
