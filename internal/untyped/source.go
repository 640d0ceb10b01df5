package untyped

import (
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Reader reads a file by its path, "-" being standard input. What it returns is
// checked by nobody.
type Reader func(path string) ([]byte, error)

// sourcePath tells a text that names a file from one that is the value: file://path,
// fileb://path for bytes, "-" for standard input.
func sourcePath(text string) (path string, raw, isFile bool) {
	switch {
	case text == "-":
		return text, false, true
	case strings.HasPrefix(text, "file://"):
		return text[len("file://"):], false, true
	case strings.HasPrefix(text, "fileb://"):
		return text[len("fileb://"):], true, true
	}
	return "", false, false
}

func isFileURL(text string) bool {
	return strings.HasPrefix(text, "file://") || strings.HasPrefix(text, "fileb://")
}

// Content returns what a text stands for: what the file holds that it names, or
// the text itself. The bytes of fileb:// come in base64, as fields of bytes want
// them.
func Content(text string, read Reader) (string, error) {
	path, raw, isFile := sourcePath(text)
	switch {
	case !isFile:
		return text, nil
	case path == "":
		return "", fmt.Errorf("%s names no file", text)
	case read == nil:
		return "", fmt.Errorf("%s: files are not read here", text)
	}
	data, err := read(path)
	switch {
	case err != nil:
		return "", err
	case raw:
		return base64.StdEncoding.EncodeToString(data), nil
	case !utf8.Valid(data):
		return "", fmt.Errorf("%s is not text (UTF-8)", path)
	}
	return string(data), nil
}

// IsSource reports whether a text names what holds the value.
func IsSource(text string) bool {
	_, _, isFile := sourcePath(text)
	return isFile
}
