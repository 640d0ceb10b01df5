package sessionclient

import (
	"fmt"
	"io"
	"testing"
)

var benchSizes = []int{1 << 10, 8 << 10, 16 << 10}

// BenchmarkUpload sends over a real socket; ns/op and allocs/op are per message.
func BenchmarkUpload(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			total := b.N * size
			got, done := 0, make(chan struct{})
			s, _ := dialFast(b, func(_ *fastPeer, p []byte) {
				if got += len(p); got == total {
					close(done)
				}
			}, WithPayloadSize(size))
			block := make([]byte, 256<<10)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			b.ResetTimer()
			for left := total; left > 0; {
				n, err := s.Write(block[:min(left, len(block))])
				if err != nil {
					b.Fatal(err)
				}
				left -= n
			}
			<-done
		})
	}
}

// BenchmarkDownload receives over a real socket.
func BenchmarkDownload(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			s, p := dialFast(b, nil)
			payload := make([]byte, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			b.ResetTimer()
			go func() {
				for range b.N {
					p.send(payload)
				}
				_ = p.flush()
			}()
			for left := b.N * size; left > 0; {
				c, err := s.Next()
				if err != nil {
					b.Fatal(err)
				}
				left -= len(c.Data)
			}
		})
	}
}

// BenchmarkEcho measures one round trip of a key.
func BenchmarkEcho(b *testing.B) {
	s, _ := dialFast(b, func(p *fastPeer, key []byte) { p.output(key) })
	key := make([]byte, 1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Write(key); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(s, key); err != nil {
			b.Fatal(err)
		}
	}
}
