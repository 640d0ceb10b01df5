// Package agent is the simulated SSM agent: one worker for each session, in the
// role the real agent has at its end of a data channel.
//
// It speaks the wire format over whole messages and does everything itself that
// the session client does on the other side (the driver loop, the handshake,
// the encryption): nothing above packages wire and reliable is shared with the
// client, so that one bug cannot hide in both.
//
// Where it departs from the agent it imitates, a comment that starts with
// "Deviation:" says so. The main ones: it never sends more than a window of
// unacknowledged messages and stops reading its source instead; after a
// reconnection or a loss it resends everything missing at once; and it goes on
// reading acknowledgements while a destination is stalled.
package agent
