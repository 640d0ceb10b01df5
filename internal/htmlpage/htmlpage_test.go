package htmlpage

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

// nasty are names that somebody may give a node.
var nasty = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onload='x`, `&lt;b&gt;`, "a\x00b\x1b[31mred", "\u202egnp.exe", `]]>`, `<!--`, `</style><script>`, "\xff\xfe", "javascript:alert(1)",
}

func TestNothingThatIsWrittenBecomesMarkup(t *testing.T) {
	for _, s := range nasty {
		var b bytes.Buffer
		page := Page{Title: s, CSS: "p { color: red }", Body: []Part{El("p", Class(s), Text(s), nil, Parts(El("br"), Text("x")))}}
		if err := page.Write(&b); err != nil {
			t.Fatal(err)
		}
		var names []string
		var got string
		d := xml.NewDecoder(&b)
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%q: %v in %s", s, err, b.String())
			}
			switch token := token.(type) {
			case xml.StartElement:
				names = append(names, token.Name.Local)
			case xml.CharData:
				if len(names) > 9 { // in the paragraph
					got += string(token)
				}
			}
		}
		if want := "html head meta meta meta meta title style body p br"; strings.Join(names, " ") != want {
			t.Errorf("%q made the elements %v", s, names)
		}
		if strings.ContainsAny(got, "\x00\x1b\u202e") {
			t.Errorf("%q is %q on the page", s, got)
		}
		if utf8.ValidString(s) && !strings.ContainsAny(s, "\x00\x1b\u202e") && strings.TrimSpace(got) != s+"x" {
			t.Errorf("%q reads %q on the page", s, got)
		}
	}
}

func TestThePolicyForbidsScripts(t *testing.T) {
	var b bytes.Buffer
	if err := (Page{Title: "x"}).Write(&b); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "default-src &#39;none&#39;") {
		t.Errorf("there is no policy in %s", b.String())
	}
}
