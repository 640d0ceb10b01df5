package terminal

// ResetSequence undoes the modes a remote program may have left on when its
// session is lost in the middle: a full-screen editor, a pager, a shell with
// bracketed paste. Write it once, to the terminal's output, when a session ends
// in any other way than by its own end; a Guard does so when told (see
// Guard.Lost). On a terminal without such modes it changes nothing visible: the
// cursor stays where it is, the scrollback is kept.
//
// Sources: the xterm control sequences document (ctlseqs) and the kitty
// keyboard protocol.
const ResetSequence = resetModes + leaveAlternate + resetRest

const resetModes = "" +
	"\x18" + // CAN: drop a sequence that was cut in the middle
	"\x1b\\" + // ST: and a string (title, clipboard) likewise
	"\x1b[?2026l" + // end of a synchronised update, so that the rest is seen
	"\x1b[<99u\x1b[=0u" + // kitty keyboard protocol
	"\x1b[>4;0m" + // xterm modifyOtherKeys
	"\x1b[?1000l\x1b[?1002l\x1b[?1003l" + // mouse
	"\x1b[?1005l\x1b[?1006l\x1b[?1015l" + // mouse encodings
	"\x1b[?1004l" + // focus events
	"\x1b[?2004l" + // bracketed paste
	"\x1b[?2048l" + // size reports in the input
	"\x1b[?1l\x1b>" + // cursor keys and keypad
	// Resetting the margins moves the cursor, and leaving the alternate screen
	// restores a cursor saved earlier, even when it is not in use: so save it
	// first. The alternate screen has a saved cursor of its own.
	"\x1b7\x1b[r\x1b8" // scroll margins; not origin mode (6), whose reset moves the cursor home

// leaveAlternate leaves the alternate screen. tmux keeps what it saves there apart
// from what ESC 7 saves, and moves the cursor to where an earlier program began
// when the screen is not in use: who knows that it is not, leaves this out.
const leaveAlternate = "\x1b7\x1b[?1049l"

const resetRest = "" +
	"\x1b[4l\x1b[?7h" + // insert mode off, wrapping on
	"\x1b(B\x0f" + // character set
	"\x1b[0 q" + // cursor shape
	"\x1b[?25h" + // cursor shown
	"\x1b[m" // colours; after modifyOtherKeys, which some take for a colour
