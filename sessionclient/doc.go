// Package sessionclient is a client for the Session Manager data channel: shells,
// commands and ports on managed nodes, without the official plugin.
//
// Dial turns the answer of StartSession into a Session: a reliable, ordered pair
// of byte flows with typed messages beside them. The layers, bottom up:
//
//	wire       bytes of a message, JSON of its payloads     (own package, pure)
//	reliable   numbers, acknowledgements, window, resend    (own package, pure)
//	handshake  session type, KMS key, challenge             (handshake.go, seal.go, pure)
//	stream     bytes of a websocket, gathered and cut       (stream.go, transport.go)
//	link       one connection: reader, writer, pings        (link.go)
//	channel    the loop that owns all of the above, time, resumption
//	Session    what callers see: Read, Write, Next, Resize, Signal, Close, Wait
//
// A session outlives its sockets. When one is lost, the channel asks the caller
// for a new ticket (WithResume), dials again and sends what was not acknowledged;
// nothing is lost and nothing is doubled. Input is held back until the agent is
// ready for it, because agents acknowledge and discard what comes too early.
//
// The package never prints, never exits, never reads a terminal and never calls
// the SSM API. No input from the network can make it panic or allocate without
// bound.
package sessionclient
