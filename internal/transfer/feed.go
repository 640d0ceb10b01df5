package transfer

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
)

// feed takes the output of a reader apart: lines that begin with a colon are for
// control, all others are base64 in lines of any length. It is an io.Writer that
// fails when either function does, or at what is neither.
type feed struct {
	control func(line string) error // without the colon
	data    func(p []byte) error    // p is valid during the call

	midline bool   // in the middle of a line
	command []byte // a control line that goes on
	held    []byte // fewer than four digits
	padded  bool   // the data are at their end
	out     []byte
	err     error // why Write failed
}

// maxControl bounds a control line, which may hold the words of an error.
const maxControl = 64 << 10

var errGarbled = errors.New("the node sent something that is no base64")

func (f *feed) Write(p []byte) (int, error) {
	if f.err == nil {
		f.err = f.take(p)
	}
	if f.err != nil {
		return 0, f.err
	}
	return len(p), nil
}

func (f *feed) take(p []byte) error {
	for len(p) > 0 {
		if !f.midline {
			f.midline = true
			if p[0] == ':' {
				f.command = append(f.command, ':')
				p = p[1:]
				continue
			}
		}
		line, rest, ended := bytes.Cut(p, []byte{'\n'})
		var err error
		if len(f.command) > 0 {
			err = f.commanded(line, ended)
		} else {
			err = f.decode(line)
		}
		if err != nil {
			return err
		}
		f.midline = !ended
		p = rest
	}
	return nil
}

func (f *feed) commanded(part []byte, ended bool) error {
	if f.command = append(f.command, part...); len(f.command) > maxControl {
		return errGarbled
	}
	if !ended {
		return nil
	}
	if len(f.held) > 0 {
		return fmt.Errorf("%w: it breaks off", errGarbled)
	}
	line := string(bytes.TrimSuffix(f.command[1:], []byte{'\r'}))
	f.command, f.padded = f.command[:0], false
	return f.control(line)
}

func (f *feed) decode(part []byte) error {
	if bytes.IndexByte(part, '\r') >= 0 { // of a terminal
		part = bytes.ReplaceAll(part, []byte{'\r'}, nil)
	}
	if len(f.held) > 0 {
		k := min(4-len(f.held), len(part))
		f.held = append(f.held, part[:k]...)
		part = part[k:]
		if len(f.held) < 4 {
			return nil
		}
		held := f.held
		f.held = f.held[:0]
		if err := f.decodeWhole(held); err != nil {
			return err
		}
	}
	whole := len(part) / 4 * 4
	if err := f.decodeWhole(part[:whole]); err != nil {
		return err
	}
	f.held = append(f.held, part[whole:]...)
	return nil
}

func (f *feed) decodeWhole(digits []byte) error {
	if len(digits) == 0 {
		return nil
	}
	if f.padded {
		return errGarbled
	}
	f.padded = digits[len(digits)-1] == '='
	var err error
	if f.out, err = base64.StdEncoding.AppendDecode(f.out[:0], digits); err != nil {
		return errGarbled
	}
	return f.data(f.out)
}
