package control

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// putObject answers PutObject. The size of an object is limited by that of a
// request here.
func (q *s3Request) putObject(body []byte) {
	if !q.admitted("PutObject") {
		return
	}
	if strings.Contains(q.r.Header.Get("Content-Encoding"), "aws-chunked") || strings.HasPrefix(q.r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		data, ok := unchunk(body)
		if !ok {
			q.fail(http.StatusBadRequest, "IncompleteBody", "The request body terminated unexpectedly")
			return
		}
		body = data
	}
	q.world.PutObject(q.bucket, q.key, body)
	q.w.Header().Set("ETag", etag(world.Object{Data: body}))
	q.w.WriteHeader(http.StatusOK)
}

// unchunk reads a body in the encoding aws-chunked: chunks of a size in
// hexadecimal with a signature, a line break, the data and a line break, the last
// of size 0, then trailers (API reference of S3, "Signature calculations: transferring
// payload in multiple chunks"). Signatures of chunks are not looked at.
func unchunk(body []byte) ([]byte, bool) {
	var data []byte
	for {
		line, rest, ok := bytes.Cut(body, []byte("\r\n"))
		if !ok {
			return nil, false
		}
		size, _, _ := strings.Cut(string(line), ";")
		n, err := strconv.ParseUint(size, 16, 31)
		switch {
		case err != nil || int(n) > len(rest):
			return nil, false
		case n == 0:
			return data, true
		}
		data = append(data, rest[:n]...)
		if body, ok = bytes.CutPrefix(rest[n:], []byte("\r\n")); !ok {
			return nil, false
		}
	}
}
