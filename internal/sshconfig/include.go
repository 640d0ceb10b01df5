package sshconfig

import (
	"bytes"
	"path/filepath"
	"strings"
)

// mark ends the line that is ours. Old releases of ssh read it as the names of
// more files to include, which do not exist.
const mark = "# managed-by-ssmdeck"

// Include returns the line that includes the file at path, without an end of
// line. The path is absolute: ssh's ~ is the home folder of the system's list of
// users, whatever HOME says.
func Include(path string) string {
	name := filepath.ToSlash(path)
	if strings.ContainsAny(name, " \t'#") {
		name = `"` + name + `"`
	}
	return "Include " + name + " " + mark
}

// Insert puts the line at the top of a configuration: further down it would
// belong to the host above it. A line of ours that is there already is replaced
// where it stands. Nothing else changes.
func Insert(config []byte, line string) []byte {
	if start, end, ok := find(config); ok {
		text, eol := cutEOL(config[start:end])
		if string(text) == line {
			return config
		}
		return concat(config[:start], []byte(line), eol, config[end:])
	}
	eol := "\n"
	if first, _, _ := bytes.Cut(config, []byte("\n")); bytes.HasSuffix(first, []byte("\r")) {
		eol = "\r\n"
	}
	return concat([]byte(line+eol), config)
}

// Remove takes out what Insert put in.
func Remove(config []byte) []byte {
	for {
		start, end, ok := find(config)
		if !ok {
			return config
		}
		config = concat(config[:start], config[end:])
	}
}

// find returns where the first line of ours is, with its end of line.
func find(config []byte) (start, end int, ok bool) {
	for start < len(config) {
		end = len(config)
		if n := bytes.IndexByte(config[start:], '\n'); n >= 0 {
			end = start + n + 1
		}
		line, _ := cutEOL(config[start:end])
		if bytes.HasPrefix(line, []byte("Include ")) && bytes.HasSuffix(line, []byte(" "+mark)) {
			return start, end, true
		}
		start = end
	}
	return 0, 0, false
}

// cutEOL cuts a line from its end of line.
func cutEOL(line []byte) (text, eol []byte) {
	text = bytes.TrimSuffix(line, []byte("\n"))
	if len(text) < len(line) {
		text = bytes.TrimSuffix(text, []byte("\r"))
	}
	return text, line[len(text):]
}

func concat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
