// Package parambackup is a backup of parameters as one file: values, everything around
// them, tags, and where it is asked for all versions with their labels. The file says
// how much it must hold, so that one which was cut or changed is recognised, and it can
// be sealed with a key of KMS.
//
// It never puts a value into an error. It reads and writes no files.
package parambackup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

// format is the number that is in front of a backup of this kind.
const format = 1

// Header is the first line of a backup. The JSON names are part of the file's format.
type Header struct {
	Format  int    `json:"ssmdeck_backup"`
	Path    string `json:"path"`          // that names are below of; "" when there is none
	One     bool   `json:"one,omitempty"` // it is of one parameter that was named, not of all below the path
	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`
	History bool   `json:"history"`            // versions and labels are in it
	LeftOut int    `json:"left_out,omitempty"` // SecureStrings that are not in it
}

// Record is one parameter: its latest version with tags, and with history all versions
// that the service had kept, the oldest first.
type Record struct {
	parameter.Parameter
	Versions []parameter.Parameter `json:"versions,omitempty"`
}

// end is the last line.
type end struct {
	Parameters int    `json:"parameters"`
	Versions   int    `json:"versions"`
	SHA256     string `json:"sha256"` // of all lines before
}

// Backup is a whole one. It is an origin of copies.
type Backup struct {
	Header
	Records []Record
	byName  map[string]*Record
}

// Versions counts the versions of all parameters.
func (b *Backup) Versions() (n int) {
	for _, r := range b.Records {
		n += len(r.Versions)
	}
	return n
}

// Latest are the parameters without their versions.
func (b *Backup) Latest() []parameter.Parameter {
	list := make([]parameter.Parameter, len(b.Records))
	for i, r := range b.Records {
		list[i] = r.Parameter
	}
	return list
}

// Tags implements parameter.Origin.
func (b *Backup) Tags(_ context.Context, name string) (map[string]string, error) {
	if r := b.record(name); r != nil {
		return maps.Clone(r.Parameter.Tags), nil
	}
	return nil, nil
}

// History implements parameter.Origin.
func (b *Backup) History(_ context.Context, name string, _ bool) iter.Seq2[parameter.Parameter, error] {
	return func(yield func(parameter.Parameter, error) bool) {
		r := b.record(name)
		if r == nil {
			return
		}
		for _, v := range r.Versions {
			if !yield(v, nil) {
				return
			}
		}
	}
}

func (b *Backup) record(name string) *Record { return b.byName[name] }

// Keep leaves the records of names for which keeps is true.
func (b *Backup) Keep(keeps func(name string) bool) {
	b.Records = slices.DeleteFunc(b.Records, func(r Record) bool { return !keeps(r.Name) })
	b.index()
}

// index makes the records found by their names.
func (b *Backup) index() {
	b.byName = make(map[string]*Record, len(b.Records))
	for i := range b.Records {
		b.byName[b.Records[i].Name] = &b.Records[i]
	}
}

// Encode writes a backup: a line of JSON for the header, one for each parameter, one for
// the end.
func Encode(w io.Writer, b *Backup) error {
	sum := sha256.New()
	lines := json.NewEncoder(io.MultiWriter(w, sum))
	lines.SetEscapeHTML(false)
	h := b.Header
	h.Format = format
	if err := lines.Encode(h); err != nil {
		return err
	}
	for _, r := range b.Records {
		if err := lines.Encode(r); err != nil {
			return err
		}
	}
	last := json.NewEncoder(w)
	return last.Encode(map[string]end{"end": {len(b.Records), b.Versions(), hex.EncodeToString(sum.Sum(nil))}})
}

// Decode reads a backup. It is an error when it is not whole, or not as it was written.
func Decode(data []byte) (*Backup, error) {
	damaged := func(format string, args ...any) error {
		return fault.Usagef("this backup is damaged: "+format, args...).WithHint("nothing of it was used; take another copy of the file")
	}
	first, _, _ := bytes.Cut(data, []byte("\n"))
	b := &Backup{}
	if json.Unmarshal(first, &b.Header) != nil || b.Format == 0 {
		return nil, fault.Usagef("this is no backup of parameters").WithHint("`ssmdeck param backup` writes them; other files are read by `ssmdeck param import`")
	}
	if b.Format > format {
		return nil, fault.Usagef("this backup is of a newer kind (%d) than this program knows (%d)", b.Format, format).WithHint("use a newer ssmdeck")
	}
	cut := bytes.LastIndexByte(bytes.TrimRight(data, "\n"), '\n')
	var last struct{ End *end }
	if cut < 0 || json.Unmarshal(data[cut+1:], &last) != nil || last.End == nil {
		return nil, damaged("its end is missing")
	}
	sum := sha256.Sum256(data[:cut+1])
	if hex.EncodeToString(sum[:]) != last.End.SHA256 {
		return nil, damaged("its checksum is another")
	}
	line := 1
	for text := range bytes.SplitSeq(data[len(first)+1:cut+1], []byte("\n")) {
		line++
		if len(text) == 0 {
			continue
		}
		var r Record
		if err := json.Unmarshal(text, &r); err != nil {
			return nil, damaged("line %d is no parameter", line)
		}
		b.Records = append(b.Records, r)
	}
	b.index()
	if len(b.Records) != last.End.Parameters || len(b.byName) != last.End.Parameters || b.Versions() != last.End.Versions {
		return nil, damaged("it has %d parameters with %d versions, and should have %d with %d", len(b.Records), b.Versions(), last.End.Parameters, last.End.Versions)
	}
	return b, nil
}

// NewRecord returns what is kept of a parameter that was read. Versions that were written
// after that are left out: tags and policies are those of p.
func NewRecord(p parameter.Parameter, versions []parameter.Parameter) Record {
	bare := func(p parameter.Parameter) parameter.Parameter {
		p.ARN, p.Selector = "", ""
		for i := range p.Policies {
			p.Policies[i].Status = ""
		}
		return p
	}
	r := Record{Parameter: bare(p)}
	for _, v := range versions {
		if v.Version > p.Version {
			continue
		}
		v.Name = p.Name
		r.Versions = append(r.Versions, bare(v))
	}
	return r
}

// String says what is in a backup.
func (b *Backup) String() string {
	text := fmt.Sprintf("%d parameters", len(b.Records))
	if len(b.Records) == 1 {
		text = "1 parameter"
	}
	if b.Header.History {
		text += fmt.Sprintf(" with %d versions", b.Versions())
	}
	return text
}
