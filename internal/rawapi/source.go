package rawapi

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

// readSource returns the content of the file that text names: as text, or in base64
// for fileb://, as fields of bytes want it.
func readSource(text string, read Reader) (string, error) {
	path, raw, _ := sourcePath(text)
	if path == "" {
		return "", fmt.Errorf("%s names no file", text)
	}
	if read == nil {
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
