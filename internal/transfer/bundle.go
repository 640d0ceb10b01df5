package transfer

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
)

// bundleSize is about how much of small files travels in one archive.
const bundleSize = blockSize

// bundle is a tar archive of small things, complete in itself.
type bundle struct {
	buf     bytes.Buffer
	tw      *tar.Writer
	members []member
	bytes   int64 // of files
}

// member is a file in a bundle.
type member struct {
	e    *entry
	name string
	sum  string
}

func newBundle() *bundle {
	b := &bundle{}
	b.tw = tar.NewWriter(&b.buf)
	return b
}

// header has the form that every tar reads, long names and all.
func (e *entry) header(name string) *tar.Header {
	h := &tar.Header{Name: name, Mode: int64(e.mode.Perm()), ModTime: e.mtime, Format: tar.FormatGNU}
	switch e.kind {
	case kindFolder:
		// Without these its owner could not move it into place.
		h.Typeflag, h.Name, h.Mode = tar.TypeDir, name+"/", h.Mode|0o700
	case kindLink:
		h.Typeflag, h.Linkname = tar.TypeSymlink, e.link
	default:
		h.Typeflag, h.Size = tar.TypeReg, e.size
	}
	return h
}

// add puts an entry into the archive. A file is read whole: what is written is
// what it was at one moment, if it has not grown beyond being small.
func (b *bundle) add(e *entry, name string) error {
	h := e.header(name)
	if e.kind != kindFile {
		return b.tw.WriteHeader(h)
	}
	data, err := readSmall(e.path)
	if err != nil {
		return reason(err)
	}
	h.Size = int64(len(data))
	if err := b.tw.WriteHeader(h); err != nil {
		return err
	}
	if _, err := b.tw.Write(data); err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	b.members = append(b.members, member{e: e, name: name, sum: hex.EncodeToString(sum[:])})
	b.bytes += h.Size
	return nil
}

func readSmall(p string) ([]byte, error) {
	f, err := os.Open(p)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: p, Err: errChanged}
	}
	data, err := io.ReadAll(io.LimitReader(f, 2*smallFile+1))
	if err == nil && len(data) > 2*smallFile {
		err = errChanged
	}
	return data, err
}

func (b *bundle) full() bool { return b.buf.Len() >= bundleSize }

// finish ends the archive and returns it with its checksum.
func (b *bundle) finish() (data []byte, sum string, err error) {
	if err := b.tw.Close(); err != nil {
		return nil, "", err
	}
	h := sha256.Sum256(b.buf.Bytes())
	return b.buf.Bytes(), hex.EncodeToString(h[:]), nil
}
