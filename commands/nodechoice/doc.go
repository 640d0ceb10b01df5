// Package nodechoice is how people say which nodes: --target, --tag and --filter, the picker,
// completion and its index, and the table in which nodes are shown.
package nodechoice
