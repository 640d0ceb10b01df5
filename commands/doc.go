// Package commands is the command line: the root of a cobra tree whose nouns are
// packages below this one, help, completion and the demo. A command parses and checks
// what was typed, calls one service and renders what comes back; rules about AWS live
// in the services. What nouns share is in cli and the packages beside it; nouns never
// import each other.
//
// Nothing below these packages prints, and errors become exit codes only here.
// Data goes to standard output, everything else to standard error.
package commands
