// Package paramfile is parameters as text: JSON, YAML, dotenv, shell, CSV, Terraform's
// tfvars, a Secret of Kubernetes and Java properties. What Encode writes, Decode reads
// back: every name, type and value to the byte, and in JSON, YAML and CSV everything
// else that belongs to a parameter. Decode also reads files that others wrote.
//
// It never puts a value into an error. It reads and writes no files.
package paramfile

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

// Format is one way to write parameters.
type Format string

// The formats.
const (
	JSON       Format = "json"
	YAML       Format = "yaml"
	Dotenv     Format = "dotenv"
	Shell      Format = "shell"
	CSV        Format = "csv"
	Tfvars     Format = "tfvars"
	K8s        Format = "k8s"
	Properties Format = "properties"
)

// Formats are all formats, in the order in which people should see them.
var Formats = []Format{JSON, YAML, Dotenv, Shell, CSV, Tfvars, K8s, Properties}

// Keys say how names become keys in formats that have no room for paths.
type Keys string

// KeysAuto is upper case for dotenv and shell, and as they are for the others.
const (
	KeysAuto  Keys = ""
	KeysUpper Keys = "upper" // db-url is DB_URL
	KeysKeep  Keys = "keep"  // upper and lower case stay
)

// NameCase says how keys of files that say no names become names.
type NameCase string

// What is done to the keys of foreign files.
const (
	NamesKeep  NameCase = ""      // DB_URL
	NamesLower NameCase = "lower" // db_url
	NamesKebab NameCase = "kebab" // db-url
)

// Options are what is to be known beside the parameters. The zero value is good.
type Options struct {
	// Root is the path that names in the file are relative to. Empty, or "/": the
	// file has whole names.
	Root string
	// File is the name of the file, for messages.
	File string
	// Plain is names and values only in JSON and YAML. For Decode it says that
	// objects are paths, also those that have a field "value".
	Plain bool
	// Keys and Bare are for Encode in formats other than JSON, YAML and CSV. Bare
	// leaves out what Decode needs to know names and types again.
	Keys Keys
	Bare bool
	// Names is for Decode, for keys of which the file does not say the name.
	Names NameCase
	// Secret and Namespace are the metadata of the Secret of Kubernetes. Without a
	// name it is made of Root.
	Secret, Namespace string
}

func (o Options) file() string { return cmp.Or(o.File, "input") }

// Entry is a parameter of a file, and where it stands.
type Entry struct {
	parameter.Parameter
	Line int // from 1
}

// codec is one format. encode writes what was checked; decode collects faults.
type codec struct {
	endings []string // of file names
	flat    bool     // names become keys
	keys    Keys     // what KeysAuto means
	nul     bool     // there is a way to write NUL
	encode  func(w *bufio.Writer, list []item, o Options) error
	decode  func(d *decoder, data []byte)
}

func codecOf(f Format) (codec, error) {
	switch f {
	case JSON:
		return codec{endings: []string{".json"}, nul: true, encode: encodeJSON, decode: decodeJSON}, nil
	case YAML:
		return codec{endings: []string{".yaml", ".yml"}, nul: true, encode: encodeYAML, decode: decodeYAML}, nil
	case CSV:
		return codec{endings: []string{".csv"}, nul: true, encode: encodeCSV, decode: decodeCSV}, nil
	case Dotenv:
		return codec{endings: []string{".env"}, flat: true, keys: KeysUpper, encode: encodeDotenv, decode: decodeDotenv}, nil
	case Shell:
		return codec{endings: []string{".sh"}, flat: true, keys: KeysUpper, encode: encodeShell, decode: decodeShell}, nil
	case Tfvars:
		return codec{endings: []string{".tfvars"}, flat: true, nul: true, encode: encodeTfvars, decode: decodeTfvars}, nil
	case K8s:
		return codec{flat: true, nul: true, encode: encodeK8s, decode: decodeK8s}, nil
	case Properties:
		return codec{endings: []string{".properties"}, flat: true, nul: true, encode: encodeProperties, decode: decodeProperties}, nil
	default:
		return codec{}, fault.Usagef("%q is not a format for parameters", string(f)).WithHint("the formats are %s", Words())
	}
}

// Words are the names of the formats for messages.
func Words() string {
	words := make([]string, len(Formats))
	for i, f := range Formats {
		words[i] = string(f)
	}
	return strings.Join(words, ", ")
}

// ParseFormat returns the format of a word that somebody typed.
func ParseFormat(word string) (Format, error) {
	switch w := strings.ToLower(word); w {
	case "yml":
		return YAML, nil
	case "env":
		return Dotenv, nil
	case "sh":
		return Shell, nil
	case "kubernetes", "secret":
		return K8s, nil
	default:
		if slices.Contains(Formats, Format(w)) {
			return Format(w), nil
		}
		err := fault.Usagef("%q is not a format for parameters", word)
		return "", err.WithHint("the formats are %s", Words())
	}
}

// Guess returns the format that a file's name tells. A Secret of Kubernetes is YAML by
// its name: it must be asked for.
func Guess(path string) (Format, error) {
	base := strings.ToLower(filepath.Base(path))
	if base == ".env" || strings.HasPrefix(base, ".env.") {
		return Dotenv, nil
	}
	for _, f := range Formats {
		if c, err := codecOf(f); err == nil && slices.ContainsFunc(c.endings, func(e string) bool { return strings.HasSuffix(base, e) }) {
			return f, nil
		}
	}
	return "", fault.Usagef("the name of %s does not say its format", path).WithHint("add --format and one of %s", Words())
}

// Encode writes parameters in the order that they are in. It writes nothing when there
// is one that the format has no room for; all of them are in the error.
func Encode(w io.Writer, f Format, list []parameter.Parameter, o Options) error {
	c, err := codecOf(f)
	if err != nil {
		return err
	}
	items, err := c.items(f, list, o)
	if err != nil {
		return err
	}
	b := bufio.NewWriter(w)
	if err := c.encode(b, items, o); err != nil {
		return err
	}
	return b.Flush()
}

// Decode reads parameters in the order of the file. Names are whole: what the file has
// is put below o.Root. Types that the file does not tell are empty. All faults of a
// file are in the error, each with its line; there are no parameters then.
func Decode(data []byte, f Format, o Options) ([]parameter.Parameter, error) {
	entries, err := DecodeEntries(data, f, o)
	if err != nil {
		return nil, err
	}
	list := make([]parameter.Parameter, len(entries))
	for i, e := range entries {
		list[i] = e.Parameter
	}
	return list, nil
}

// DecodeEntries is Decode with the lines.
func DecodeEntries(data []byte, f Format, o Options) ([]Entry, error) {
	c, err := codecOf(f)
	if err != nil {
		return nil, err
	}
	d := &decoder{Options: o, format: f, seen: map[string]int{}}
	if at := invalidUTF8(data); at >= 0 {
		d.fail(lineAt(data, at), "this is not UTF-8; Parameter Store keeps text only, and bytes must be written as base64")
	} else {
		c.decode(d, bytes.TrimPrefix(data, []byte("\ufeff")))
	}
	if len(d.faults) > 0 {
		return nil, &fault.Error{Kind: fault.Usage, Err: errors.Join(d.faults...), Hint: d.hint}
	}
	return d.entries, nil
}

func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

func lineAt(data []byte, offset int) int { return 1 + bytes.Count(data[:offset], []byte("\n")) }

// decoder collects what is in a file.
type decoder struct {
	Options
	format  Format
	entries []Entry
	seen    map[string]int // the line of a name
	faults  []error
	hint    string
}

// fail notes a fault. What it prints must hold no value.
func (d *decoder) fail(line int, format string, args ...any) {
	d.faults = append(d.faults, fmt.Errorf("%s:%d: %s", d.file(), line, fmt.Sprintf(format, args...)))
}

// add notes a parameter by the name that the file has for it.
func (d *decoder) add(line int, name string, p parameter.Parameter) {
	whole, err := Join(d.Root, name)
	if err != nil {
		d.fail(line, "%s", err)
		return
	}
	if first, ok := d.seen[whole]; ok {
		d.fail(line, "%s is there twice: it is on line %d already", name, first)
		return
	}
	d.seen[whole] = line
	if p.Value == "" {
		d.fail(line, "%s has no value; Parameter Store keeps no empty values", name)
		return
	}
	p.Name = whole
	d.entries = append(d.entries, Entry{Parameter: p, Line: line})
}
