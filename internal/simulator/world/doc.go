// Package world is the state of the simulated account: nodes, documents,
// parameters, keys, commands, sessions and automations, and the scenario file
// they are made from. Resources that are no more than what the API says of them
// are kept as Records in Tables.
//
// It is not an API: package control turns requests into calls of this package,
// package gateway carries sessions. A World is safe for concurrent use; what its
// methods return are copies. It starts goroutines only for Run Command
// invocations, for automations and for the listeners behind the ports of a scenario, and Close
// waits for all of them.
package world
