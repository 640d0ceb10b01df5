package virtual

import (
	"context"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/memfs"
)

func benchmarkOutput(b *testing.B, size int64, script string) {
	m := New(Spec{})
	h, err := m.FS().Open(memfs.Cred{}, "/tmp/big", 0o101, 0o644) // O_WRONLY|O_CREAT
	if err != nil {
		b.Fatal(err)
	}
	if err := h.Truncate(64 << 20); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		var n counter
		if status, err := m.Run(context.Background(), shell.Command{Script: script}, shell.IO{Stdout: &n}); status != 0 || err != nil || int64(n) != size {
			b.Fatalf("%d bytes, status %d, %v", n, status, err)
		}
	}
}

func BenchmarkCatFile(b *testing.B) { benchmarkOutput(b, 64<<20, "cat /tmp/big") }

func BenchmarkDDZero(b *testing.B) {
	benchmarkOutput(b, 64<<20, "dd if=/dev/zero bs=1M count=64 status=none")
}

func BenchmarkPipe(b *testing.B) { benchmarkOutput(b, 64<<20, "cat /tmp/big | cat") }

func BenchmarkShellLoop(b *testing.B) {
	benchmarkOutput(b, 4_890, "i=0; while [ $i -lt 1000 ]; do i=$((i+1)); echo $i; done; printf '%997s'")
}

func BenchmarkTerminalOutput(b *testing.B) {
	m := New(Spec{})
	b.SetBytes(64 << 20)
	buf := make([]byte, 32<<10)
	for b.Loop() {
		tty, err := m.Start(context.Background(), shell.TTYOptions{Command: "dd if=/dev/zero bs=1M count=64 status=none"})
		if err != nil {
			b.Fatal(err)
		}
		total := 0
		for {
			n, err := tty.Read(buf)
			if total += n; err != nil {
				break
			}
		}
		if total != 64<<20 {
			b.Fatalf("%d bytes", total)
		}
		tty.Close()
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		New(Spec{})
	}
}
