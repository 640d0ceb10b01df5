package terminal

import "io"

// Canvas returns what Bubble Tea writes to instead of a terminal, to which write writes.
// The shape of the cursor is the user's: Bubble Tea sets one and has no way back to what
// it was.
//
// It is no terminal to Bubble Tea, which would look at its size in goroutines of which
// some run beside each other, and outlive it. Whoever shows something tells it to look: at
// first, whenever there is a new size (see Terminal.Follow), and when somebody else has had
// the terminal. What a message says may be old when it is taken, and Bubble Tea sends
// one of its own in the beginning, in no order: the size is always the one that the window
// (see Terminal.Window) has then.
func Canvas(write func(p []byte) error) io.Writer { return canvas(write) }

type canvas func(p []byte) error

func (c canvas) Write(p []byte) (int, error) {
	if err := c(withoutShape(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// withoutShape takes sequences that set the shape of the cursor, CSI n SP q, out of
// what is written.
func withoutShape(p []byte) []byte {
	var out []byte // nil: nothing has been taken out
	kept := 0
	for i := 0; i+3 < len(p); i++ {
		if p[i] != esc || p[i+1] != '[' {
			continue
		}
		end := i + 2
		for end < len(p) && p[end] >= '0' && p[end] <= '9' {
			end++
		}
		if end+1 < len(p) && p[end] == ' ' && p[end+1] == 'q' {
			out = append(out, p[kept:i]...)
			kept = end + 2
			i = end + 1
		}
	}
	if kept == 0 {
		return p
	}
	return append(out, p[kept:]...)
}
