//go:build unix

package terminal

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func reader(t *testing.T, f *os.File) *Reader {
	t.Helper()
	r, err := CancelableReader(f)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// pairs are the kinds of input: what is written to in arrives at out.
func pairs(t *testing.T) map[string]func() (in io.WriteCloser, out *os.File) {
	return map[string]func() (io.WriteCloser, *os.File){
		"terminal": func() (io.WriteCloser, *os.File) {
			master, tty := openPTY(t)
			if _, err := open(t, tty).Raw(); err != nil {
				t.Fatal(err)
			}
			return master, tty
		},
		"pipe": func() (io.WriteCloser, *os.File) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { r.Close(); w.Close() })
			return w, r
		},
	}
}

func TestCancelLeavesLaterBytes(t *testing.T) {
	for name, pair := range pairs(t) {
		t.Run(name, func(t *testing.T) {
			in, out := pair()
			for range 50 {
				r := reader(t, out)
				done := make(chan error, 1)
				started := make(chan struct{})
				go func() {
					close(started)
					_, err := r.Read(make([]byte, 16))
					done <- err
				}()
				<-started
				r.Cancel()
				if err, _ := recv(t, done, "end of the read"); !errors.Is(err, ErrCanceled) {
					t.Fatalf("got %v, want ErrCanceled", err)
				}
				if _, err := io.WriteString(in, "typed"); err != nil {
					t.Fatal(err)
				}
				if n, err := r.Read(make([]byte, 16)); n != 0 || !errors.Is(err, ErrCanceled) {
					t.Fatalf("a cancelled reader read %d bytes, %v", n, err)
				}
				if err := errors.Join(r.Close(), r.Close()); err != nil {
					t.Fatal(err)
				}
				if _, err := r.Read(make([]byte, 1)); !errors.Is(err, ErrCanceled) {
					t.Fatalf("a closed reader: got %v, want ErrCanceled", err)
				}
				got := make([]byte, len("typed"))
				if _, err := io.ReadFull(out, got); err != nil || string(got) != "typed" {
					t.Fatalf("the next reader got %q, %v, want %q", got, err, "typed")
				}
			}
		})
	}
}

func TestReadWaitsForBytes(t *testing.T) {
	for name, pair := range pairs(t) {
		t.Run(name, func(t *testing.T) {
			in, out := pair()
			r := reader(t, out)
			defer r.Close()
			got := make(chan string, 1)
			for _, word := range []string{"one", "two\x1a\x04\x03", strings.Repeat("x", 1000)} {
				go func() {
					buf := make([]byte, len(word))
					n, err := io.ReadFull(r, buf)
					if err != nil {
						t.Error(err)
					}
					got <- string(buf[:n])
				}()
				if _, err := io.WriteString(in, word); err != nil {
					t.Fatal(err)
				}
				if s, _ := recv(t, got, "read"); s != word {
					t.Errorf("got %q, want %q", s, word)
				}
			}
			if n, err := r.Read(nil); n != 0 || err != nil {
				t.Errorf("an empty read: got %d, %v", n, err)
			}
		})
	}
}

func TestEndOfInputIsEOF(t *testing.T) {
	for name, pair := range pairs(t) {
		t.Run(name, func(t *testing.T) {
			in, out := pair()
			r := reader(t, out)
			defer r.Close()
			if err := in.Close(); err != nil {
				t.Fatal(err)
			}
			if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
				t.Errorf("got %d, %v, want EOF", n, err)
			}
		})
	}
}

func TestReadOfAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := reader(t, f)
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || string(got) != "content" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestCloseWaitsForTheRead(t *testing.T) {
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer out.Close()
	r := reader(t, in)
	ended := make(chan struct{})
	started := make(chan struct{})
	go func() {
		close(started)
		r.Read(make([]byte, 1))
		close(ended)
	}()
	<-started
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	recv(t, ended, "end of the read")
}

func TestReadOfAClosedFileFails(t *testing.T) {
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out.Close()
	r := reader(t, in)
	defer r.Close()
	in.Close()
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}
