package transfer

import (
	"bytes"
	"compress/gzip"
	"io"
)

// Compression must save this much of a sample, in percent, to be worth its time:
// what is compressed already, or encrypted, goes as it is.
const (
	sampleBytes = 64 << 10
	worthBelow  = 85
)

// shrinks reports whether a sample gets small enough.
func shrinks(sample []byte) bool {
	if len(sample) < 1024 {
		return false // not worth a process on the node
	}
	sample = sample[:min(len(sample), sampleBytes)]
	return len(squeeze(bytes.NewReader(sample)))*100 < len(sample)*worthBelow
}

// squeeze compresses r, which is at most a block long and cannot fail.
func squeeze(r io.Reader) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed) // the level is valid
	_, _ = io.Copy(z, r)
	_ = z.Close()
	return b.Bytes()
}
