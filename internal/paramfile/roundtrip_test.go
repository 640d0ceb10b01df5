package paramfile

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/parameter"
)

// values that have broken such formats before.
var values = []string{
	"x", "yes", "null", "~", "true", "1e3", "0x1F", "012", "1_000", ".inf", "2026-01-02", "12:30:00", "=", "- a", "a: b", "a #b", "#a", "{", "[1]", "!tag",
	"&a", "*a", "%x", "@x", "`id`", "$HOME", "${HOME}", "$${HOME}", "$$${x}", "%{if}", "%%{x}", "$(id)", "$", "\\", "\\\\", "\\n", "a\\", "'", "''", `"`, `'"`,
	"it's", `it's $5 "now" \ ` + "`x`", "'\\''", " lead", "trail ", "\ttab\t", " ", "\n", "\r", "\r\n", "\n\n", "a\n", "a\nb", "a\nb\n", "a\n\nb\n\n", "\na", " \n a",
	"a\r\nb\r\n", "a\rb", "a \nb", "\t\n", "# name: x, type: String\nX='y'", "EOT\n", "a\u2028b\u2029c\u0085d", "\ufeffbom", "naïve ☃ 𝄞 日本", "e\u0301 \u00e9", "\x01\x02\x1b[31m\x7f",
	"\u200bzero\u202e", "\ufffd", "a,b,c", ",", "a;b", "--- x", "---", "...", "<a>&</a>", "!", "!!", "a!b", "~/x", "*", "?", "a=b", "export A=b", "\\u0041", "\\x41",
	"-----BEGIN KEY-----\nMIIE+/==\n-----END KEY-----\n", `{"a": "b\n"}`, strings.Repeat("long ", 1600), "\u00a0", "\v\f\b", "\x1f", "=cmd|' /C calc'!A0", "\U0010ffff",
}

var words = []string{"db-url", "DB_URL2", "a.b", "sub/level/db-pass", "9lives", "x", "_y", "-z", "null", "yes", "1.5", "a.b/c-d"}

// text makes any text: often of characters that mean something somewhere.
func text(r *rand.Rand, nul bool) string {
	const loaded = " \t\n\r\\'\"`$%{}()[]#!=:,;&*?|<>~-.@^/abn01\u0085\u2028\ufeff\u00e9☃𝄞"
	special := []rune(loaded)
	var b strings.Builder
	for n := 1 + r.IntN(12); n > 0; n-- {
		switch r.IntN(8) {
		case 0:
			b.WriteString(values[r.IntN(len(values)-30)])
		case 1:
			c := rune(r.IntN(0x300))
			if c == 0 && !nul {
				c = 1
			}
			b.WriteRune(c)
		default:
			b.WriteRune(special[r.IntN(len(special))])
		}
	}
	return b.String()
}

var types = []string{parameter.String, parameter.StringList, parameter.SecureString}

// sample makes parameters of every kind; details are what flat formats have no room
// for.
func sample(r *rand.Rand, root string, details, nul bool) []parameter.Parameter {
	var list []parameter.Parameter
	for i, word := range words {
		p := parameter.Parameter{Name: root + fmt.Sprintf("%s%d", word, i), Type: types[r.IntN(3)], Value: text(r, nul)}
		if r.IntN(3) == 0 {
			p.Value = values[r.IntN(len(values))]
		}
		if details && r.IntN(2) == 0 {
			p.Tier, p.KeyID, p.DataType = parameter.Advanced, "alias/"+text(r, nul), "text"
			p.Description, p.AllowedPattern = text(r, nul), text(r, nul)
			p.Tags = map[string]string{text(r, nul): text(r, nul), "k": ""}
			p.Policies = []parameter.Policy{{Type: "Expiration", Text: `{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2030-01-01T00:00:00.000Z"}}`}}
		}
		list = append(list, p)
	}
	return list
}

// detailedFormats have room for everything; the others for names, types and values.
var detailedFormats = []Format{JSON, YAML, CSV}

func built() (out []Format) {
	for _, f := range Formats {
		if _, err := codecOf(f); err == nil {
			out = append(out, f)
		}
	}
	return out
}

func TestEveryFormatIsReadBackAsItWasWritten(t *testing.T) {
	for _, f := range built() {
		c, _ := codecOf(f)
		t.Run(string(f), func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 11))
			for range 400 {
				for _, o := range []Options{{Root: "/app/prod", Secret: "x"}, {Secret: "x"}, {Root: "/", Secret: "x", Keys: KeysUpper}, {Root: "/a", Secret: "x", Keys: KeysKeep}} {
					root := o.Root + "/"
					if o.Root == "" || o.Root == "/" {
						root = "/r/"
					}
					identity(t, f, sample(r, root, slices.Contains(detailedFormats, f), c.nul), o)
				}
			}
			for _, v := range values {
				identity(t, f, []parameter.Parameter{{Name: "plain", Type: parameter.String, Value: v}}, Options{Secret: "x"})
			}
			identity(t, f, nil, Options{Secret: "x"})
		})
	}
}

func identity(t *testing.T, f Format, want []parameter.Parameter, o Options) {
	t.Helper()
	var b bytes.Buffer
	if err := Encode(&b, f, want, o); err != nil {
		t.Fatalf("encode: %v", err)
	}
	got, err := Decode(b.Bytes(), f, o)
	if err != nil {
		t.Fatalf("decode: %v\n%s", err, b.String())
	}
	if len(got) != len(want) {
		t.Fatalf("%d parameters became %d\n%s", len(want), len(got), b.String())
	}
	for i := range want {
		if !equal(got[i], want[i]) {
			t.Fatalf("%q became\n%q\n%s", fmt.Sprint(want[i]), fmt.Sprint(got[i]), b.String())
		}
	}
}

func equal(a, b parameter.Parameter) bool {
	return a.Name == b.Name && a.Type == b.Type && a.Value == b.Value && a.Tier == b.Tier && a.KeyID == b.KeyID && a.DataType == b.DataType &&
		a.Description == b.Description && a.AllowedPattern == b.AllowedPattern && maps.Equal(a.Tags, b.Tags) && slices.Equal(a.Policies, b.Policies)
}
