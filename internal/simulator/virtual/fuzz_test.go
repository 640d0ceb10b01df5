package virtual

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
)

// FuzzRun runs arbitrary scripts: none may panic, hang after it is cancelled,
// or bring the simulator down.
func FuzzRun(f *testing.F) {
	for _, s := range []string{
		"echo hi | cat; for i in 1 2; do echo $i; done",
		"f() { f; }; f", ":(){ :|:& };:", "x=$(yes)", "a[3]=1; echo ${a[@]:1} ${#a}",
		"awk '{print $1 / 0}' /etc/passwd; sed -n '2,$p' /etc/hosts; find / -name '*.log' | xargs ls -l",
		"printf '%*.*f|%c\\n' 5 2 3.14 x; echo {1..99999999}; ls -laR /; cat <(echo x) >(cat)",
		"dd if=/dev/zero of=/tmp/x bs=1M count=9999; tail -f /tmp/x", "trap 'exit 3' INT; kill -INT $$; $((1/0))",
		"case $x in *) ;; esac; [[ a =~ ( ]]; ${!x} ${x@Q} ${x@Z}", "while :; do :; done", "sudo -i <<< 'id'; bash -c 'exec bash'",
	} {
		f.Add(s)
	}
	m := New(Spec{})
	f.Fuzz(func(t *testing.T, script string) {
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		defer cancel()
		start := time.Now()
		m.Run(ctx, shell.Command{Script: script}, shell.IO{Stdout: io.Discard, Stderr: io.Discard})
		if d := time.Since(start); d > 20*time.Second {
			t.Fatalf("took %v after its context had ended", d)
		}
	})
}

// FuzzTyping types arbitrary bytes into a shell, and into a program.
func FuzzTyping(f *testing.F) {
	f.Add([]byte("ls\r\x1b[A\x03echo 'a\r\x04"), false)
	f.Add([]byte("cat\r\x16\xff\xc3\x15x\x17\x7f\x04\x04\x1c\x12l\t\t"), true)
	m := New(Spec{})
	f.Fuzz(func(t *testing.T, keys []byte, program bool) {
		o := shell.TTYOptions{Cols: 20}
		if program {
			o.Command = "cat"
		}
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		defer cancel()
		tty, err := m.Start(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			io.Copy(io.Discard, tty)
		}()
		tty.Write(keys) // an error says that it has ended
		tty.Close()
		<-done
	})
}
