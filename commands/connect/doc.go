// Package connect opens sessions on a terminal: shell and exec, the console with its escapes,
// status line and recording, and the flags of every command that opens a session.
package connect
