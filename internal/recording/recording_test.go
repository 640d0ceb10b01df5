package recording

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/vt"
)

// piece is something that happened to a terminal.
type piece struct {
	kind Kind
	data string
}

// record writes pieces, a tenth of a second apart, and returns the file.
func record(t *testing.T, rules []Rule, input bool, pieces ...piece) string {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, Header{Width: 80, Height: 24, Timestamp: 1700000000}, rules, input)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range pieces {
		at := time.Duration(i) * 100 * time.Millisecond
		if p.kind == Input {
			err = w.Input(at, []byte(p.data))
		} else {
			err = w.Output(at, []byte(p.data))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// events reads a recording.
func events(t *testing.T, file string) []Event {
	t.Helper()
	r, err := NewReader(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var all []Event
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
}

// shown joins the events of a kind.
func shown(t *testing.T, file string, k Kind) string {
	t.Helper()
	var b strings.Builder
	for _, e := range events(t, file) {
		if e.Kind == k {
			b.WriteString(e.Data)
		}
	}
	return b.String()
}

const (
	canary     = "Canary7Canary7Canary7Canary7Canary7Cana7"
	accessKey  = "AKIAIOSFODNN7EXAMPLE"
	privateKey = "-----BEGIN OPENSSH PRIVATE KEY-----\r\n" + "b3BlbnNzaCanary7rZXktdjEAAAAABG5vbmUAAAAE\r\nbm9uZQAAAAAAAAABCanary7AAMwAAAAtzc2gtZW\r\nQyNTUxCanary7\r\n" + "-----END OPENSSH PRIVATE KEY-----\r\n"
)

// secrets are outputs with a canary, and what of them must remain.
var secrets = []struct{ name, text, want string }{
	{"access key id", "key " + accessKey + " used\r\n", "key *** used\r\n"},
	{"secret key in an INI file", "aws_secret_access_key = " + canary + "\r\n", "aws_secret_access_key = ***\r\n"},
	{"secret key in JSON", `  "SecretAccessKey": "` + canary + `",` + "\r\n", `  "SecretAccessKey": ***,` + "\r\n"},
	{"secret key in a dialogue", "AWS Secret Access Key [None]: " + canary + "\r\n", "AWS Secret Access Key [None]: ***\r\n"},
	{"session token", "export AWS_SESSION_TOKEN=IQoJb3JpZ2luX2Vj" + canary + canary + "==\r\n", "export AWS_SESSION_TOKEN=***\r\n"},
	{"session token by itself", "IQoJb3JpZ2luX2Vj" + canary + canary + "\r\n", "***\r\n"},
	{"bearer", "Authorization: Bearer " + canary + "\r\n", "Authorization: ***\r\n"},
	{"bearer in a command", "curl -H 'X: bearer " + canary + "'\r\n", "curl -H 'X: bearer ***'\r\n"},
	{"password assignment", "DB_PASSWORD='" + canary + " x' run\r\n", "DB_PASSWORD=*** run\r\n"},
	{"password in YAML", "password: " + canary + "\r\n", "password: ***\r\n"},
	{"password flag", "tool --password " + canary + " -v\r\n", "tool --password *** -v\r\n"},
	{"URL", "git clone https://user:" + canary + "@host/x\r\n", "git clone https://***@host/x\r\n"},
	{"signed URL", "https://b.s3.amazonaws.com/k?X-Amz-Signature=" + canary + "&x=1\r\n", "https://b.s3.amazonaws.com/k?X-Amz-Signature=***&x=1\r\n"},
	{"two on a line", "password=" + canary + " token=" + canary + " secret=" + canary + "\r\n", "password=*** token=*** secret=***\r\n"},
	{"within colours", "password=\x1b[31mCanary7\x1b[32mCanary7\x1b[m ok\r\n", "password=\x1b[31m***\x1b[32m\x1b[m ok\r\n"},
	{"grep's colours", "\x1b[01;31m\x1b[Kpassword\x1b[m\x1b[K=" + canary + "\r\n", "\x1b[01;31m\x1b[Kpassword\x1b[m\x1b[K=***\r\n"},
	{"drawn at a place", "\x1b[5;1Hpassword=" + canary + "\x1b[6;1Hnext", "\x1b[5;1Hpassword=***\x1b[6;1Hnext"},
	{"a title", "\x1b]0;password=" + canary + "\ax\r\n", "\x1b]0;password=***x\r\n"},
	{"the clipboard", "\x1b]52;c;Q2FuYXJ5\ax\r\n", "x\r\n"},
	{"private key", "$ cat id\r\n" + privateKey + "$ \r\n", "$ cat id\r\n***\r\n***\r\n***\r\n***\r\n***\r\n$ \r\n"},
	{"private key on one line", `{"k":"-----BEGIN PRIVATE KEY-----\nCanary7\n-----END PRIVATE KEY-----\n"}` + "\r\n", `{"k":"***\n"}` + "\r\n"},
	{"private key cut short", "-----BEGIN RSA PRIVATE KEY-----\r\nProc-Type: 4,ENCRYPTED\r\nCanary7\r\nsh-5.2$ ls -l\r\n", "***\r\n***\r\n***\r\nsh-5.2$ ls -l\r\n"},
	{
		"wrapped by zsh", "% export AWS_SESSION_TOKEN=IQoJb3 \r\x1b[KC\rCanary7 \r\x1b[KC\rCanary7\x1b[?2004l\r\r\n",
		"% export AWS_SESSION_TOKEN=***\r\x1b[K\r\r\x1b[K\r\x1b[?2004l\r\r\n",
	},
	{"after what may be wrapped", "50% \r" + accessKey + " \r\nx \ry\rz\r\n", "50% \r*** \r\nx \ry\rz\r\n"},
	{"nothing", "pwd: /home/me, tokens: 12, PWD=/tmp http://host/a@b 40 users\r\n", "pwd: /home/me, tokens: 12, PWD=/tmp http://host/a@b 40 users\r\n"},
	{"no line end", "password=" + canary, "password=***"},
}

func TestSecretsAreMaskedHoweverTheyAreCut(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, tt := range secrets {
		t.Run(tt.name, func(t *testing.T) {
			for try := range 40 {
				var pieces []piece
				for rest := tt.text; rest != ""; {
					n := 1
					if try > 0 {
						n = 1 + rng.IntN(len(rest))
					}
					pieces = append(pieces, piece{Output, rest[:n]})
					rest = rest[n:]
				}
				file := record(t, BuiltIn(), false, pieces...)
				if got := shown(t, file, Output); got != tt.want {
					t.Fatalf("in %d pieces:\ngot  %q\nwant %q", len(pieces), got, tt.want)
				}
			}
		})
	}
}

func TestUsersRules(t *testing.T) {
	for _, tt := range []struct{ expr, text, want string }{
		{`customer-\d+`, "see customer-4711 now\r\n", "see *** now\r\n"},
		{`name=(\w+)`, "name=alice age=3\r\n", "name=*** age=3\r\n"},
		{`ä+`, "xääy\r\n", "x***y\r\n"},
	} {
		r, err := NewRule(tt.expr)
		if err != nil {
			t.Fatal(err)
		}
		if got := shown(t, record(t, []Rule{r}, false, piece{Output, tt.text[:8]}, piece{Output, tt.text[8:]}), Output); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.expr, got, tt.want)
		}
	}
	for _, expr := range []string{"(", "x*", ""} {
		if _, err := NewRule(expr); err == nil {
			t.Errorf("%q was accepted", expr)
		}
	}
}

func TestALineWithoutEnd(t *testing.T) {
	filler := strings.Repeat("x ", maxLine)
	long := strings.Repeat("Canary7", 10_000)
	for name, text := range map[string]string{
		"a secret in it":           filler + "password=" + canary + " " + filler,
		"a secret longer than all": filler + "password=" + long + " after",
	} {
		t.Run(name, func(t *testing.T) {
			var pieces []piece
			for rest := text; rest != ""; {
				n := min(1000, len(rest))
				pieces = append(pieces, piece{Output, rest[:n]})
				rest = rest[n:]
			}
			got := shown(t, record(t, BuiltIn(), false, pieces...), Output)
			if strings.Contains(got, "Canary") {
				t.Errorf("the secret is in it")
			}
			if !strings.Contains(got, "password=***") || !strings.HasPrefix(got, filler) || strings.Contains(got, "after") != strings.Contains(text, "after") {
				t.Errorf("%d bytes of %d, something is missing", len(got), len(text))
			}
		})
	}
}

func TestMemoryIsBounded(t *testing.T) {
	w, err := NewWriter(io.Discard, Header{}, BuiltIn(), true)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20_000 {
		at := time.Duration(i) * time.Millisecond
		for _, p := range []string{"\x1b]1337;", strings.Repeat("i", 500), "\x1b[1m"} {
			if err := w.Output(at, []byte(p)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Input(at, []byte("j")); err != nil {
			t.Fatal(err)
		}
		if len(w.queue) > 2*maxQueue || w.wait > 2*maxWaiting || cap(w.out.raw) > 4*maxRaw {
			t.Fatalf("after %d: %d events, %d bytes wait, %d kept", i, len(w.queue), w.wait, cap(w.out.raw))
		}
	}
}

func TestTypedTextIsRecordedWhenItWasShown(t *testing.T) {
	tests := []struct {
		name   string
		pieces []piece
		want   string
	}{
		{"a command", []piece{{Output, "$ "}, {Input, "l"}, {Output, "l"}, {Input, "s"}, {Output, "s"}, {Input, "\r"}, {Output, "\r\nfile\r\n$ "}}, "ls\r"},
		{"typed ahead of its echo", []piece{{Output, "$ "}, {Input, "ls\r"}, {Output, "ls\r\nfile\r\n$ "}}, "ls\r"},
		{"two commands", []piece{{Output, "$ "}, {Input, "a\r"}, {Output, "a\r\n$ "}, {Input, "b\r"}, {Output, "b\r\n$ "}}, "a\rb\r"},
		{"a password", []piece{{Output, "[sudo] enter: "}, {Input, "h"}, {Input, "unter2"}, {Input, "\r"}, {Output, "\r\nwelcome\r\n"}}, "\r"},
		{"a password with stars", []piece{{Output, "enter: "}, {Input, "abc\r"}, {Output, "***\r\n"}}, "\r"},
		{"a password that is shown", []piece{{Output, "Password: "}, {Input, "abc\r"}, {Output, "abc\r\n"}}, "\r"},
		{"a password, then a command", []piece{{Output, "x: "}, {Input, "abc\r"}, {Output, "\r\n$ "}, {Input, "id\r"}, {Output, "id\r\n"}}, "\rid\r"},
		{"a password after which no line ends", []piece{{Output, "x: "}, {Input, "abc\r"}, {Output, "$ "}, {Input, "id\r"}, {Output, "id\r\n"}}, "\rid\r"},
		{"nothing comes back", []piece{{Input, "abc\r"}}, "\r"},
		{"a secret in a command", []piece{{Output, "$ "}, {Input, "PASSWORD=" + canary + "\r"}, {Output, "PASSWORD=" + canary + "\r\n"}}, "PASSWORD=***\r"},
		{"arrows and control keys", []piece{{Input, "\x1b[A"}, {Input, "\x1bOB"}, {Input, "\x03"}}, "\x1b[A\x1bOB\x03"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := record(t, BuiltIn(), true, tt.pieces...)
			if got := shown(t, file, Input); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if strings.Contains(file, canary) {
				t.Errorf("the canary is in it:\n%s", file)
			}
			if got := shown(t, record(t, BuiltIn(), false, tt.pieces...), Input); got != "" {
				t.Errorf("without being asked for: %q", got)
			}
		})
	}
}

func TestTimesAndCharactersArePreserved(t *testing.T) {
	file := record(t, nil, false, piece{Output, "a\xe2"}, piece{Output, "\x82"}, piece{Output, "\xac\r\n"}, piece{Output, "bad \xff\r\n"})
	want := `{"version":2,"width":80,"height":24,"timestamp":1700000000}
[0.000000, "o", "a"]
[0.200000, "o", "€\r\n"]
[0.300000, "o", "bad ` + `\ufffd\r\n"]
`
	if strings.ReplaceAll(file, "�", `\ufffd`) != want {
		t.Errorf("got\n%s\nwant\n%s", file, want)
	}
}

func TestReader(t *testing.T) {
	tests := []struct{ name, file, want string }{
		{"version 2", "{\"version\":2,\"width\":1,\"height\":2}\n[0.5,\"o\",\"a\"]\n[0.25,\"o\",\"b\"]\n", "500ms a 500ms b "},
		{"version 3", "{\"version\":3,\"term\":{\"cols\":1,\"rows\":2}}\n# a remark\n[0.5,\"o\",\"a\"]\n\n[0.25,\"o\",\"b\"]\n[0,\"x\",\"0\"]\n", "500ms a 750ms b 750ms 0 "},
		{"no line end", "{\"version\":2}\n[1,\"o\",\"a\"]", "1s a "},
		{"empty", "", "line 1: there is no header: the file is empty"},
		{"no recording", "hello\n", "line 1: not the header of an asciicast file"},
		{"version 1", "{\"version\":1}\n", "line 1: asciicast version 1, want 2 or 3"},
		{"broken", "{\"version\":2}\n[1,\"o\",\"a\"]\n[1,\n[2,\"o\",\"a\"]\n", "1s a line 3: not a JSON array: unexpected end of JSON input"},
		{"too short", "{\"version\":2}\n[1]\n", "line 2: an event of 1 fields, want 3"},
		{"time", "{\"version\":2}\n[-1,\"o\",\"\"]\n", "line 2: the time -1 is not a number of seconds"},
		{"huge time", "{\"version\":2}\n[1e300,\"o\",\"\"]\n", "line 2: the time 1e300 is not a number of seconds"},
		{"data", "{\"version\":2}\n[1,\"o\",7]\n", "line 2: the data of the event is not a string"},
		{"cut", "{\"version\":2}\n[1,\"o\",\"a\"]\n[2,\"o\",\"b", "1s a line 3: the recording ends in the middle of this line"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			r, err := NewReader(strings.NewReader(tt.file))
			for err == nil {
				var e Event
				if e, err = r.Next(); err == nil {
					b.WriteString(e.At.String() + " " + e.Data + " ")
				}
			}
			if !errors.Is(err, io.EOF) {
				b.WriteString(err.Error())
			}
			if b.String() != tt.want {
				t.Errorf("got %q, want %q", b.String(), tt.want)
			}
		})
	}
}

func TestSafeLeavesOutWhatActs(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"text and colours", "a\x1b[1;38;5;3mb\x1b[0mä\r\n\t\b", "a\x1b[1;38;5;3mb\x1b[0mä\r\n\t\b"},
		{"drawing", "\x1b[2J\x1b[H\x1b[?1049h\x1b[?25l\x1b[3;10r\x1b7\x1b8\x1b(B\x1bM", "\x1b[2J\x1b[H\x1b[?1049h\x1b[?25l\x1b[3;10r\x1b7\x1b8\x1b(B\x1bM"},
		{"clipboard", "a\x1b]52;c;aGk=\x07b", "ab"},
		{"title", "a\x1b]0;title\x1b\\b\x1b[22;0tc", "abc"},
		{"requests", "a\x1b[6n\x1b[c\x1b[>c\x1b[?1$p\x1bP$qm\x1b\\\x1b[>q\x05\x1bZb", "ab"},
		{"mouse and keyboard", "a\x1b[?1000h\x1b[?1006;25h\x1b[>1u\x1b[?2004hb", "ab"},
		{"window and printer", "a\x1b[8;1;1t\x1b[5ib\x1bc", "ab"},
		{"C1", "a\u009b6nb\u009d52;c;x\u009cc", "a6nb52;c;xc"},
		{"hyperlink", "\x1b]8;;http://x\x1b\\text\x1b]8;;\x1b\\", "text"},
		{"a broken sequence", "a\x1b[12\x1b[31mb", "a\x1b[31mb"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var whole, parts Safe
			if got := string(whole.Append(nil, tt.in)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			var got []byte
			for i := range len(tt.in) {
				got = parts.Append(got, tt.in[i:i+1])
			}
			if string(got) != tt.want {
				t.Errorf("byte by byte: got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestPlain(t *testing.T) {
	var s vt.Scanner
	if got := string(Plain(nil, &s, "\x1b[1mä\x1b]0;t\a b\r\n\tc\x07\u009d52;c;\u0085 ")); got != "ä b\n\tc52;c; " {
		t.Errorf("got %q", got)
	}
}

// FuzzMask: however output is cut, the same is recorded, and a canary behind a
// password never.
func FuzzMask(f *testing.F) {
	for _, s := range secrets {
		f.Add([]byte(s.text), uint16(5), uint16(9))
	}
	f.Fuzz(func(t *testing.T, text []byte, a, b uint16) {
		if len(text) > 2000 || bytes.ContainsAny(text, "\xff\xfe") {
			return
		}
		text = []byte(strings.ToValidUTF8(string(text), "?"))
		i := int(a) % (len(text) + 1)
		j := i + int(b)%(len(text)-i+1)
		whole := shown(t, record(t, BuiltIn(), false, piece{Output, string(text)}), Output)
		parts := shown(t, record(t, BuiltIn(), false, piece{Output, string(text[:i])}, piece{Output, string(text[i:j])}, piece{Output, string(text[j:])}), Output)
		if whole != parts {
			t.Errorf("whole %q, in parts %q", whole, parts)
		}
		line := "\x18\r\npassword=Nightingale\r\n"
		if got := shown(t, record(t, BuiltIn(), false, piece{Output, string(text) + line}), Output); strings.Contains(got, "Nightingale") {
			t.Errorf("after %q the canary shows: %q", text, got)
		}
	})
}

// FuzzReader: no file makes it panic or go on for ever, and what it accepts it
// accepts again when written anew.
func FuzzReader(f *testing.F) {
	f.Add([]byte("{\"version\":2,\"width\":80}\n[0.1,\"o\",\"a\"]\n"))
	f.Add([]byte("{\"version\":3,\"term\":{\"cols\":80}}\n#\n[0.1,\"o\",\"a\"]"))
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := NewReader(bytes.NewReader(file))
		if err != nil {
			return
		}
		for {
			e, err := r.Next()
			if err != nil {
				return
			}
			line, err := appendEvent(nil, e)
			if err != nil {
				t.Fatal(err)
			}
			again, err := parseEvent(line)
			if err != nil || again.Data != e.Data || again.Kind != e.Kind {
				t.Fatalf("%+v became %q: %+v, %v", e, line, again, err)
			}
		}
	})
}

// FuzzSafe: what passes passes again, unchanged.
func FuzzSafe(f *testing.F) {
	f.Add("a\x1b[1m\x1b]52;c;x\a\u009b6n")
	f.Fuzz(func(t *testing.T, in string) {
		in = strings.ToValidUTF8(in, "?") // as all of JSON is
		var a, b Safe
		once := string(a.Append(nil, in))
		if twice := string(b.Append(nil, once)); twice != once {
			t.Errorf("%q: once %q, twice %q", in, once, twice)
		}
	})
}
