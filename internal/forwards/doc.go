// Package forwards keeps named forwards: it reads them from files, runs many in
// one process, and knows what runs in other processes of this user, those that are
// in no file too.
//
//	Entry       a forward with a name, as a file has it              (pure)
//	Board       what is known of each, from events and counters      (pure)
//	Supervisor  runs entries: listeners that stay, sessions on demand
//	Single      one that is in no file, while the command that was typed runs it
//	Registry    what each process of this user runs, and which sessions it has
//	            open, so that nothing of a killed one stays at the service
//	Serve, Dial the conversation between processes, on a private socket
//
// It calls no service: sessions come from openers that the caller makes, one for
// each entry, and are terminated by the caller.
package forwards
