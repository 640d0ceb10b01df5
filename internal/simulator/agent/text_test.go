package agent

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/sessionclient/wire"
)

// drainOutlet cuts everything there is.
func drainOutlet(o *outlet, limit int, text bool) (chunks [][]byte) {
	for {
		_, b, ok := o.cut(nil, limit, text)
		if !ok {
			return chunks
		}
		chunks = append(chunks, b)
	}
}

func TestTextWriter(t *testing.T) {
	tests := []struct {
		name    string
		writes  []string
		prefix  string
		defects bool
		want    string
	}{
		{"plain", []string{"a", "b"}, "", false, "ab"},
		{"a sequence over two writes", []string{"\xe2\x82", "\xac!"}, "", false, "€!"},
		{"an incomplete end is kept", []string{"x\xe2\x82"}, "", false, "x\xe2\x82"},
		{"an incomplete end is lost", []string{"x\xe2\x82"}, "", true, "x"},
		{"U+FFFD is kept", []string{"a\uFFFDb"}, "", false, "a\uFFFDb"},
		{"U+FFFD is damaged", []string{"a\uFFFDb"}, "", true, "a\xefb"},
		{"bytes that are no text", []string{"\xff\xfe", "\x80"}, "", false, "\xff\xfe\x80"},
		{"prefix on the first chunk and after a line feed", []string{"a", "b\n", "c"}, "o:", false, "o:ab\no:c"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newOutlet()
			w := &textWriter{out: o, ptype: wire.PayloadOutput, prefix: tt.prefix, defects: tt.defects}
			for _, s := range tt.writes {
				if n, err := w.Write([]byte(s)); n != len(s) || err != nil {
					t.Fatalf("wrote %d, %v; want %d", n, err, len(s))
				}
			}
			if err := w.finish(); err != nil {
				t.Fatal(err)
			}
			if got := bytes.Join(drainOutlet(o, 1024, true), nil); string(got) != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestOutletKeepsOrderAndBoundaries(t *testing.T) {
	o := newOutlet()
	for _, s := range []segment{
		{ptype: wire.PayloadOutput, data: []byte("a")},
		{ptype: wire.PayloadOutput, data: []byte("b")},
		{ptype: wire.PayloadStdErr, data: []byte("c")},
		{ptype: wire.PayloadFlag, data: []byte("flag"), whole: true},
		{ptype: wire.PayloadFlag, data: []byte("flag"), whole: true},
		{ptype: wire.PayloadOutput, data: []byte("defg")},
	} {
		if err := o.write(s.ptype, s.whole, s.data); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for {
		_, b, ok := o.cut(nil, 3, false)
		if !ok {
			break
		}
		got = append(got, string(b))
	}
	if d := diff([]string{"ab", "c", "flag", "flag", "def", "g"}, got); d != "" {
		t.Error(d)
	}
	if !o.empty() || o.bytes != 0 {
		t.Errorf("%d bytes left", o.bytes)
	}
	o.close(false)
	if err := o.write(wire.PayloadOutput, false, []byte("x")); err == nil {
		t.Error("a closed outlet takes more")
	}
}

// FuzzText checks that text is never torn and never changed, however it is
// written and cut.
func FuzzText(f *testing.F) {
	f.Add([]byte("häßlich € \xf0\x9f\x98\x80 \xff\xc3"), uint8(3), uint8(5))
	f.Add([]byte("\xe2\x82\xac\xe2\x82\xac"), uint8(1), uint8(4))
	f.Fuzz(func(t *testing.T, text []byte, step, limit uint8) {
		if len(text) > 1<<16 {
			return
		}
		o := newOutlet()
		w := &textWriter{out: o, ptype: wire.PayloadOutput}
		size := int(step) + 1
		for rest := text; len(rest) > 0; {
			n := min(size, len(rest))
			if _, err := w.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := w.finish(); err != nil {
			t.Fatal(err)
		}
		chunks := drainOutlet(o, max(int(limit), utf8.UTFMax), true)
		if got := bytes.Join(chunks, nil); !bytes.Equal(got, text) {
			t.Fatalf("got %q, want %q", got, text)
		}
		if utf8.Valid(text) {
			for _, c := range chunks {
				if !utf8.Valid(c) {
					t.Fatalf("chunk %q of valid text %q is torn", c, text)
				}
			}
		}
	})
}
