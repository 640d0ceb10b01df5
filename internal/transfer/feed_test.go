package transfer

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
)

// fold writes base64 in lines of width; 0 is one line.
func fold(data []byte, width int) string {
	text := base64.StdEncoding.EncodeToString(data)
	if width == 0 {
		return text
	}
	var b strings.Builder
	for part := range slices.Chunk([]byte(text), width) {
		b.Write(part)
		b.WriteByte('\n')
	}
	return b.String()
}

func TestFeedTakesOutputApart(t *testing.T) {
	data := []byte(strings.Repeat("\x00\xff:text\n", 100) + "x")
	for _, width := range []int{0, 76, 7, 1} {
		for _, end := range []string{"\n", "\r\n"} {
			in := ":r 0 0\n" + fold(data, width) + "\n:s 0 sum of it\n\n:r 1 0\n\n:s 1 none\n"
			in = strings.ReplaceAll(in, "\n", end)
			for _, step := range []int{1, 2, 3, 76, 77, len(in)} {
				var got bytes.Buffer
				var lines []string
				f := &feed{
					data:    func(p []byte) error { got.Write(p); return nil },
					control: func(l string) error { lines = append(lines, l); return nil },
				}
				for part := range slices.Chunk([]byte(in), step) {
					if _, err := f.Write(part); err != nil {
						t.Fatalf("width %d, step %d: %v", width, step, err)
					}
				}
				want := []string{"r 0 0", "s 0 sum of it", "r 1 0", "s 1 none"}
				if !bytes.Equal(got.Bytes(), data) || !slices.Equal(lines, want) {
					t.Fatalf("width %d, step %d: %d bytes, %q", width, step, got.Len(), lines)
				}
			}
		}
	}
}

func TestFeedRefusesWhatIsNoBase64(t *testing.T) {
	for _, in := range []string{"sh: not found\n", "AAA\n:s 0 x\n", "====\n", "AA==AAAA\n", ":" + strings.Repeat("x", maxControl+1)} {
		f := &feed{data: func([]byte) error { return nil }, control: func(string) error { return nil }}
		if _, err := f.Write([]byte(in)); !errors.Is(err, errGarbled) {
			t.Errorf("%.20q: %v", in, err)
		}
		if _, err := f.Write([]byte("AAAA\n")); !errors.Is(err, errGarbled) {
			t.Errorf("%.20q: it goes on: %v", in, err)
		}
	}
}

func FuzzFeed(f *testing.F) {
	f.Add([]byte(":r 0 0\nAAAA\n:s 0 x\n"), 3)
	f.Fuzz(func(t *testing.T, in []byte, step int) {
		if step < 1 {
			return
		}
		run := func(step int) (string, error) {
			var all strings.Builder
			fd := &feed{
				data:    func(p []byte) error { all.Write(p); return nil },
				control: func(l string) error { all.WriteString("<" + l + ">"); return nil },
			}
			for part := range slices.Chunk(in, step) {
				if _, err := fd.Write(part); err != nil {
					return "", err
				}
			}
			return all.String(), nil
		}
		whole, err1 := run(max(len(in), 1))
		parts, err2 := run(step)
		if (err1 == nil) != (err2 == nil) || whole != parts {
			t.Errorf("in one: %q, %v; in steps of %d: %q, %v", whole, err1, step, parts, err2)
		}
	})
}

func TestSendText(t *testing.T) {
	for _, n := range []int{0, 1, 56, 57, 58, 114, 512 * 57, 512*57 + 1, 100000} {
		data := bytes.Repeat([]byte("abc\x00"), n/4+1)[:n]
		var out bytes.Buffer
		if err := sendText(&out, bytes.NewReader(data), int64(n)); err != nil {
			t.Fatal(err)
		}
		if int64(out.Len()) != textSize(int64(n)) {
			t.Errorf("%d bytes become %d, and %d were announced", n, out.Len(), textSize(int64(n)))
		}
		back, err := base64.StdEncoding.DecodeString(out.String())
		if err != nil || !bytes.Equal(back, data) {
			t.Errorf("%d bytes do not come back: %v", n, err)
		}
	}
	// A source that became shorter still fills what was announced.
	var out bytes.Buffer
	if err := sendText(&out, strings.NewReader("x"), 1000); err != nil || int64(out.Len()) != textSize(1000) {
		t.Errorf("%d bytes, %v", out.Len(), err)
	}
}
