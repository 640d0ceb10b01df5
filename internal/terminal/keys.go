package terminal

import (
	"unicode/utf16"
	"unicode/utf8"
)

// keyEvent is what matters of a Windows KEY_EVENT_RECORD.
type keyEvent struct {
	down    bool
	repeat  uint16
	key     uint16 // virtual key code
	char    uint16 // UTF-16 code unit, 0 for keys without a character
	control bool   // a Ctrl key is held, and no Alt key
}

// Virtual key codes (learn.microsoft.com/windows/win32/inputdev/virtual-key-codes).
const (
	keyMenu  = 0x12 // Alt
	keySpace = 0x20
	keyTwo   = 0x32
)

// keyDecoder turns console key events into the bytes a terminal would send.
// The console has already turned function keys into escape sequences, one event
// per character. It keeps the first half of a surrogate pair.
type keyDecoder struct {
	high rune
}

// decode appends the bytes of e to dst.
func (d *keyDecoder) decode(dst []byte, e keyEvent) []byte {
	switch {
	case e.down && e.char == 0:
		// Ctrl-Space and Ctrl-2 type NUL; other keys without a character
		// (Shift alone, say) type nothing.
		if !e.control || e.key != keySpace && e.key != keyTwo {
			return dst
		}
	case !e.down:
		// Characters composed with Alt and the number pad arrive when Alt is
		// released. All other releases type nothing.
		if e.key != keyMenu || e.char == 0 {
			return dst
		}
	}
	r := rune(e.char)
	if utf16.IsSurrogate(r) {
		if r < 0xdc00 {
			d.high = r
			return dst
		}
		r = utf16.DecodeRune(d.high, r) // U+FFFD for a lonely half
	}
	d.high = 0
	for range max(1, e.repeat) {
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}
