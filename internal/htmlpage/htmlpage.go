// Package htmlpage writes HTML pages that need nothing but themselves: no script, no
// link, nothing from a network, and a policy in the page that forbids all of it.
// Every text and every value of an attribute is escaped where it is written, so that
// what nodes and people are called can never become markup. The pages are HTML and
// well-formed XML at once.
//
// It is no template engine: a page is a tree of Go values. html/template keeps every
// method of the AWS clients in the binary.
package htmlpage

import (
	"bytes"
	"encoding/xml"
	"io"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/render"
)

// Part is a piece of an element: an attribute, a text, or an element within it.
type Part interface{ add(*Element) }

// Element is an element and what is in it.
type Element struct {
	name  string
	attrs [][2]string
	kids  []Part
	raw   string // of style
}

func (e *Element) add(to *Element) { to.kids = append(to.kids, e) }

// El makes an element. A nil part is left out.
func El(name string, parts ...Part) *Element {
	return (&Element{name: name}).Append(parts...)
}

// Append adds parts to an element, and returns it.
func (e *Element) Append(parts ...Part) *Element {
	for _, p := range parts {
		if p != nil {
			p.add(e)
		}
	}
	return e
}

type attr [2]string

func (a attr) add(e *Element) { e.attrs = append(e.attrs, a) }

// Attr is an attribute. Names are ours, values may be anybody's.
func Attr(name, value string) Part { return attr{name, value} }

// Class is the attribute class.
func Class(names string) Part { return attr{"class", names} }

type text string

func (t text) add(e *Element) { e.kids = append(e.kids, t) }

// Text is a text. Control characters, and those that turn the direction of writing,
// are made visible.
func Text(s string) Part { return text(s) }

type many []Part

func (m many) add(e *Element) { e.Append(m...) }

// Parts are several parts in their order.
func Parts(parts ...Part) Part { return many(parts) }

// void elements have no content and no end tag in HTML.
var void = []string{"meta", "br", "hr", "col"}

// policy forbids everything that a page could fetch or run.
const policy = "default-src 'none'; style-src 'unsafe-inline'"

// Page is a whole page.
type Page struct {
	Title string
	CSS   string // ours; it must hold neither < nor &
	Body  []Part
}

// Write writes the page.
func (p Page) Write(w io.Writer) error {
	head := El("head",
		El("meta", Attr("charset", "utf-8")),
		El("meta", Attr("http-equiv", "Content-Security-Policy"), Attr("content", policy)),
		El("meta", Attr("name", "viewport"), Attr("content", "width=device-width, initial-scale=1")),
		El("meta", Attr("name", "color-scheme"), Attr("content", "light dark")),
		El("title", Text(p.Title)),
		&Element{name: "style", raw: p.CSS},
	)
	var b bytes.Buffer
	b.WriteString("<!DOCTYPE html>\n")
	El("html", Attr("lang", "en"), head, El("body", p.Body...)).write(&b)
	b.WriteByte('\n')
	_, err := w.Write(b.Bytes())
	return err
}

// blocks begin on a line of their own, so that a page can be read and compared as text.
var blocks = []string{"head", "body", "meta", "title", "style", "header", "main", "section", "footer", "h1", "h2", "h3", "p", "div", "table", "thead", "tbody", "tr", "details", "svg", "g", "ul", "li", "dl"}

func (e *Element) write(b *bytes.Buffer) {
	if slices.Contains(blocks, e.name) {
		b.WriteByte('\n')
	}
	b.WriteString("<" + e.name)
	for _, a := range e.attrs {
		b.WriteString(" " + a[0] + `="`)
		escape(b, a[1])
		b.WriteByte('"')
	}
	if slices.Contains(void, e.name) {
		b.WriteString("/>")
		return
	}
	b.WriteByte('>')
	b.WriteString(e.raw)
	for _, k := range e.kids {
		switch k := k.(type) {
		case *Element:
			k.write(b)
		case text:
			escape(b, string(k))
		}
	}
	b.WriteString("</" + e.name + ">")
}

// escape writes a text so that it is text in HTML and in XML, also within quotes.
func escape(b *bytes.Buffer, s string) {
	_ = xml.EscapeText(b, []byte(strings.ToValidUTF8(render.Visible(s), "\uFFFD"))) // a Buffer never fails
}
