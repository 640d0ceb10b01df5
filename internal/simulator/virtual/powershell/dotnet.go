package powershell

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/memfs"
)

// The few classes of .NET that scripts use to read and write files whole:
// File, FileStream, Directory, Path, Convert, SHA256. Messages are those of .NET.

// fileStream is an open file.
type fileStream struct{ h *memfs.Handle }

// maxBytes bounds an array of bytes.
const maxBytes = 64 << 20

// unixEpoch in the ticks of .NET, of 100 ns.
const unixEpoch = 621355968000000000

// dotnet evaluates a static member; known is false for others.
func (s *Shell) dotnet(typ, name string, args []any) (v any, known bool, err error) {
	arg := func(i int) string {
		if i < len(args) {
			return text(args[i])
		}
		return ""
	}
	switch typ + "::" + strings.ToLower(name) {
	case "console::out":
		return NewObject("TextWriter"), true, nil
	case "text.encoding::utf8":
		return NewObject("UTF8Encoding"), true, nil
	case "security.cryptography.sha256::create":
		return NewObject("SHA256Managed"), true, nil
	case "convert::tobase64string":
		b, err := s.slice(args)
		return base64.StdEncoding.EncodeToString(b), true, err
	case "convert::frombase64string":
		b, err := base64.StdEncoding.DecodeString(arg(0))
		if err != nil {
			err = s.throw("FormatException", "%s", invoked("FromBase64String", 1, "The input is not a valid Base-64 string."))
		}
		return b, true, err
	case "bitconverter::tostring":
		b, err := s.slice(args)
		return strings.ReplaceAll(fmt.Sprintf("% X", b), " ", "-"), true, err
	case "io.path::combine":
		if second := arg(1); strings.HasPrefix(second, `\`) || len(second) > 1 && second[1] == ':' {
			return second, true, nil
		}
		return strings.TrimRight(arg(0), `\/`) + `\` + arg(1), true, nil
	case "io.path::ispathrooted":
		return strings.HasPrefix(arg(0), `\`) || strings.HasPrefix(arg(0), "/") || len(arg(0)) > 1 && arg(0)[1] == ':', true, nil
	case "io.path::getfilename":
		return arg(0)[strings.LastIndexAny(arg(0), `\/:`)+1:], true, nil
	}
	if typ == "io.file" || typ == "io.directory" {
		return s.dotnetFile(typ, name, arg)
	}
	return nil, false, nil
}

func (s *Shell) dotnetFile(typ, name string, arg func(int) string) (v any, known bool, err error) {
	files, cred, full := s.cfg.FS, s.cred(), s.fsPath(arg(0))
	info, statErr := files.Stat(cred, full)
	switch typ + "::" + strings.ToLower(name) {
	case "io.file::exists":
		return statErr == nil && !info.IsDir(), true, nil
	case "io.directory::exists":
		return statErr == nil && info.IsDir(), true, nil
	case "io.file::getattributes":
		switch {
		case statErr != nil:
			err = statErr
		case info.IsDir():
			v = "Directory"
		default:
			v = "Archive"
		}
	case "io.file::getlastwritetimeutc":
		if err = statErr; err == nil {
			v = info.ModTime()
		}
	case "io.file::setlastwritetimeutc", "io.directory::setlastwritetimeutc":
		t, castErr := s.cast("datetime", arg(1))
		if castErr != nil {
			return nil, true, castErr
		}
		err = files.Chtimes(cred, full, t.(time.Time))
	case "io.file::open":
		flag := map[string]int{"open": os.O_RDONLY, "openorcreate": os.O_RDWR | os.O_CREATE, "create": os.O_RDWR | os.O_CREATE | os.O_TRUNC}[strings.ToLower(arg(1))]
		if statErr == nil && info.IsDir() {
			err = os.ErrPermission // as .NET has it
			break
		}
		var h *memfs.Handle
		if h, err = files.Open(cred, full, flag, 0o644); err == nil {
			v = &fileStream{h}
		}
	case "io.file::delete":
		if err = files.Remove(cred, full); errors.Is(err, os.ErrNotExist) {
			err = nil
		}
	case "io.file::move", "io.directory::move":
		if _, there := files.Stat(cred, s.fsPath(arg(1))); there == nil {
			return nil, true, s.throw("IOException", "%s", invoked("Move", 2, "Cannot create a file when that file already exists."))
		}
		err = files.Rename(cred, full, s.fsPath(arg(1)))
	case "io.directory::createdirectory":
		err = files.MkdirAll(cred, full, 0o755)
	case "io.directory::delete":
		if strings.EqualFold(arg(1), "true") {
			err = files.RemoveAll(cred, full)
		} else {
			err = files.Remove(cred, full)
		}
	case "io.directory::getfilesystementries":
		var list []memfs.Info
		if list, err = files.ReadDir(cred, full); err == nil {
			paths := []any{}
			for _, e := range list {
				paths = append(paths, strings.TrimRight(arg(0), `\/`)+`\`+e.Name())
			}
			v = paths
		}
	default:
		return nil, false, nil
	}
	if err != nil {
		err = s.netError(name, arg(0), err)
	}
	return v, true, err
}

// invoked is how PowerShell reports an exception of a method.
func invoked(method string, n int, text string) string {
	return fmt.Sprintf(`Exception calling "%s" with "%d" argument(s): "%s"`, method, n, text)
}

func (s *Shell) netError(method, name string, err error) error {
	id, text := "IOException", memfs.Reason(err)
	switch {
	case errors.Is(err, os.ErrPermission):
		id, text = "UnauthorizedAccessException", "Access to the path '"+s.abs(name)+"' is denied."
	case errors.Is(err, os.ErrNotExist):
		id, text = "FileNotFoundException", "Could not find file '"+s.abs(name)+"'."
	}
	return s.throw(id, "%s", invoked(method, 1, text))
}

// slice is an array of bytes, or the part of it that offset and length name.
func (s *Shell) slice(args []any) ([]byte, error) {
	if len(args) == 0 {
		return nil, s.throw("ArgumentNullException", "Value cannot be null.")
	}
	b, ok := args[0].([]byte)
	if !ok {
		return nil, s.throw("ArgumentException", "Argument must be an array of bytes in the simulated PowerShell.")
	}
	if len(args) < 3 {
		return b, nil
	}
	from, ok1 := numeric(args[1])
	n, ok2 := numeric(args[2])
	if !ok1 || !ok2 || from < 0 || n < 0 || from+n > float64(len(b)) {
		return nil, s.throw("ArgumentOutOfRangeException", "Offset and length were out of bounds for the array.")
	}
	return b[int(from):int(from+n)], nil
}

// netMethod calls a method of what dotnet gives; known is false for others.
func (s *Shell) netMethod(x any, name string, args []any) (v any, known bool, err error) {
	if f, ok := x.(*fileStream); ok {
		v, err := s.streamMethod(f, name, args)
		return v, true, err
	}
	o, ok := x.(*Object)
	if !ok {
		return nil, false, nil
	}
	switch o.Type + "." + strings.ToLower(name) {
	case "TextWriter.writeline", "TextWriter.write":
		line := ""
		if len(args) > 0 {
			line = text(args[0])
		}
		if strings.EqualFold(name, "writeline") {
			line += "\r\n"
		}
		_, err := io.WriteString(s.cfg.Stdout, line)
		return nil, true, err
	case "UTF8Encoding.getbytes":
		if len(args) == 1 {
			return []byte(text(args[0])), true, nil
		}
	case "SHA256Managed.computehash":
		if len(args) > 0 {
			if f, ok := args[0].(*fileStream); ok {
				h := sha256.New()
				_, err := io.Copy(h, cancellable{s.ctx, f.h})
				return h.Sum(nil), true, err
			}
		}
		b, err := s.slice(args)
		sum := sha256.Sum256(b)
		return sum[:], true, err
	}
	return nil, false, nil
}

// cancellable is a reader that ends with a context.
type cancellable struct {
	ctx context.Context
	r   io.Reader
}

func (c cancellable) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

func (s *Shell) streamMethod(f *fileStream, name string, args []any) (any, error) {
	switch strings.ToLower(name) {
	case "close", "dispose":
		return nil, f.h.Close()
	case "seek":
		if len(args) > 0 {
			n, _ := numeric(args[0])
			at, err := f.h.Seek(int64(min(max(n, 0), 1<<50)), io.SeekStart)
			return at, err
		}
	case "read":
		b, err := s.slice(args)
		if err != nil {
			return nil, err
		}
		n, err := io.ReadFull(f.h, b)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = nil
		}
		return int64(n), err
	case "write":
		b, err := s.slice(args)
		if err != nil {
			return nil, err
		}
		if _, err := f.h.Write(b); err != nil {
			return nil, s.netError("Write", f.h.Name(), err)
		}
		return nil, nil
	}
	return nil, s.throw("MethodNotFound", "Method invocation failed because [System.IO.FileStream] does not contain a method named '%s' in the simulated PowerShell.", name)
}

// newObject makes arrays of bytes and descriptions of files, and nothing else.
func newObject(s *Shell, c *call, out emit) error {
	typ := strings.ToLower(text(collapse(c.given("TypeName"))))
	n, ok := numeric(collapse(c.given("ArgumentList")))
	switch {
	case typ == "io.fileinfo":
		name := text(collapse(c.given("ArgumentList")))
		info, err := s.cfg.FS.Stat(s.cred(), s.fsPath(name))
		if err != nil {
			return s.netError(".ctor", name, err)
		}
		return out(s.fileObject(info, s.abs(name)))
	case typ != "byte[]":
		return s.throw("TypeNotFound", "New-Object %s is not supported by the simulated PowerShell.", typ)
	case !ok || n < 0 || n > maxBytes:
		return s.throw("OutOfMemoryException", "Array dimensions exceeded supported range.")
	}
	return out(make([]byte, int(n)))
}
