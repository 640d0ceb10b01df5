// Package portforward carries local TCP connections and unix sockets through
// port sessions to a managed node, or to a host that the node can reach.
//
//	Spec      what to forward, as typed by the user                (pure)
//	Listen    the local end
//	Forward   accepts, opens sessions, reports events
//	 tunnel   one spec: its listener and its pool of sessions
//	  carrier one session, watched
//	   bearer how it carries connections: muxBearer or basicBearer
//	  relay   one connection: half-close, queue, byte counts
//	 visit    one connection on its way through a pool, to its end
//	Proxy     the same with destinations that local programs choose
//	Stdio     one session joined to standard input and output (ssh)
//
// The listener outlives its sessions. A session survives the loss of its socket
// by itself (package sessionclient); when it is over for good, its connections
// are reset, never closed as if they were complete, and the next connection gets
// a new session. A session that stands still, because one destination does not
// read or one dial hangs, keeps its connections while new ones go to another.
//
// The package calls no service: sessions come from an Opener, whose Session must
// end the session at the service when it is closed. Every goroutine is waited
// for before Run and Stdio return.
package portforward
