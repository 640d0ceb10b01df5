// Package cli is what all commands share: the environment they run in (streams, settings,
// the open account and Region, the services), the global flags, lists over several accounts
// and Regions, questions, notes, files, words. Commands import it and never each other.
package cli
