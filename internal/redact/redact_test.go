package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// filtered is text after a Writer, given to it in pieces.
func filtered(t testing.TB, m *Matcher, text string, piece func() int) (string, *Writer) {
	t.Helper()
	var out bytes.Buffer
	w := m.NewWriter(&out)
	for len(text) > 0 {
		n := min(piece(), len(text))
		if _, err := io.WriteString(w, text[:n]); err != nil {
			t.Fatal(err)
		}
		text = text[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String(), w
}

func whole() int { return 1 << 20 }

func mustNew(t testing.TB, secrets ...Secret) *Matcher {
	t.Helper()
	m, _, err := New(secrets, false)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSecretsAreReplacedInAllTheirForms(t *testing.T) {
	const value = "p@ss/wörd \"x\" <&> \\ 1\tz"
	m := mustNew(t, Secret{"/app/db", value})
	text, err := json.Marshal(map[string]string{"message": "login with " + value + " failed"})
	if err != nil {
		t.Fatal(err)
	}
	twice, _ := json.Marshal(string(text))
	var plain bytes.Buffer
	enc := json.NewEncoder(&plain)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		t.Fatal(err)
	}
	forms := map[string]string{
		"as it is":        "a" + value + "b",
		"JSON of Go":      string(text),
		"plain JSON":      plain.String(),
		"ASCII JSON":      `"p@ss/w\u00f6rd \"x\" <&> \\ 1\tz"`,
		"JSON of PHP":     `"p@ss\/w\u00f6rd \"x\" <&> \\ 1\tz"`,
		"a query":         "https://h/?a=" + url.QueryEscape(value) + "&b=1",
		"a path":          "https://h/" + url.PathEscape(value) + "/b",
		"a URI component": "p%40ss%2Fw%C3%B6rd%20%22x%22%20%3C%26%3E%20%5C%201%09z",
		"lower digits":    "p%40ss%2fw%c3%b6rd%20%22x%22%20%3c%26%3e%20%5c%201%09z",
		"hexadecimal":     fmt.Sprintf("%x", value),
		"base64":          base64.StdEncoding.EncodeToString([]byte(value)),
	}
	for name, form := range forms {
		got, _ := filtered(t, m, form, whole)
		if !strings.Contains(got, "[/app/db]") {
			t.Errorf("%s: %q stays %q", name, form, got)
		}
	}
	if got, _ := filtered(t, m, string(twice), whole); strings.Contains(got, "rd ") && !strings.Contains(got, "[/app/db]") {
		t.Logf("a document of Go within another: %q", got) // encoders that escape < differ twice over
	}
	for before := range 3 {
		for after := range 3 {
			user := strings.Repeat("u", before) + value + strings.Repeat("z", after)
			for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
				text := enc.EncodeToString([]byte(user))
				got, _ := filtered(t, m, "Basic "+text, whole)
				if left := len(got) - len("Basic [/app/db]"); !strings.Contains(got, "[/app/db]") || left > 12 {
					t.Errorf("base64 with %d bytes before and %d behind: %q", before, after, got)
				}
			}
		}
	}
}

func TestPartsOfValues(t *testing.T) {
	key := "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQ\n-----END PRIVATE KEY-----\n"
	m := mustNew(t,
		Secret{"url", "postgres://app:hunter2hunter2@db:5432/x"},
		Secret{"json", `{"username":"administrator","password":"open sesame","port":5432}`},
		Secret{"odd", "mysql://root:50%@off#now@db/x"},
		Secret{"coded", "mysql://root:p%7Eq%40rs@db/x,mysql://root:another one@b/x,redis://:second-url@b"},
		Secret{"deep", `[{"db":{"password":"first deep one","keys":["second deep one"]}},{"password":"third deep one"}]`},
		Secret{"key", key})
	for text, want := range map[string]string{
		"password is hunter2hunter2.":                       "password is [url#password].",
		"root:50%@off#now, p%7Eq%40rs is p~q@rs second-url": "root:[odd#password], [coded#password] is [coded#password] [coded#password]",
		"first deep one second deep one third deep one":     "[deep#password] [deep#keys] [deep#password]",
		"administrator says open sesame":                    "administrator says [json#password]",
		"app | MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\napp | ":    "app | [key]\napp | ",
		key:                             "[key]",
		strings.TrimSpace(key) + "!":    "[key]!",
		"-----BEGIN PRIVATE KEY-----\n": "-----BEGIN PRIVATE KEY-----\n",
		strings.ReplaceAll(strings.TrimSpace(key), "\n", "\r\n"): "[key]",
	} {
		if got, _ := filtered(t, m, text, whole); got != want {
			t.Errorf("%q\n got %q\nwant %q", text, got, want)
		}
	}
}

func TestShortValuesAreLeftOutAndNamed(t *testing.T) {
	secrets := []Secret{{"/long", "longer"}, {"/pin", "1234"}}
	m, skipped, err := New(secrets, false)
	if err != nil || !slices.Equal(skipped, []string{"/pin"}) {
		t.Fatal(skipped, err)
	}
	if got, _ := filtered(t, m, "1234 longer", whole); got != "1234 [/long]" {
		t.Errorf("got %q", got)
	}
	m, skipped, err = New(secrets, true)
	if err != nil || len(skipped) != 0 {
		t.Fatal(skipped, err)
	}
	if got, _ := filtered(t, m, "1234 longer", whole); got != "[/pin] [/long]" {
		t.Errorf("with short: %q", got)
	}
	none, _, err := New(nil, false)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := filtered(t, none, "anything", whole); got != "anything" {
		t.Errorf("without secrets: %q", got)
	}
}

// Against a slow and simple search: what any string covers is replaced, and all else
// is there, however the stream is cut.
func TestStreamsAreFilteredAsAWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	word := func(most int) string {
		b := make([]byte, 1+r.IntN(most))
		for i := range b {
			b[i] = "abc"[r.IntN(2+r.IntN(2))]
		}
		return string(b)
	}
	for range 3000 {
		m := &Matcher{secrets: []string{"X"}}
		var patterns []string
		for range 1 + r.IntN(6) {
			patterns = append(patterns, word(6))
			m.names = append(m.names, 0)
		}
		if r.IntN(2) == 0 { // all long enough for the quick look
			for i, p := range patterns {
				patterns[i] = p + "abca"[:4-min(len(p), 4)] + p[:1]
			}
		}
		m.automaton = newAutomaton(patterns)
		text := word(120)
		got, w := filtered(t, m, text, func() int { return 1 + r.IntN(5) })
		if want := slowly(text, patterns); got != want {
			t.Fatalf("%q in %q: got %q, want %q", patterns, text, got, want)
		}
		if len(w.buf) != 0 {
			t.Fatalf("%d bytes are left", len(w.buf))
		}
	}
}

func slowly(text string, patterns []string) string {
	covered := make([]bool, len(text))
	joined := make([]bool, len(text)+1) // a string covers both sides of this border
	for _, p := range patterns {
		for i := 0; i+len(p) <= len(text); i++ {
			if text[i:i+len(p)] == p {
				for j := range p {
					covered[i+j] = true
					joined[i+j] = joined[i+j] || j > 0
				}
			}
		}
	}
	var b strings.Builder
	for i := range text {
		switch {
		case !covered[i]:
			b.WriteByte(text[i])
		case !joined[i]:
			b.WriteString("[X]")
		}
	}
	return b.String()
}

func TestLinesPassAsTheyCome(t *testing.T) {
	m := mustNew(t, Secret{"/a", "secret-value"})
	var out bytes.Buffer
	w := m.NewWriter(&out)
	for _, step := range []struct{ write, want string }{
		{"a line\n", "a line\n"},
		{"a prompt: ", "a line\na prompt: "},
		{"with sec", "a line\na prompt: with "}, // may be the secret
		{"ond", "a line\na prompt: with second"},
		{"secret-val", "a line\na prompt: with second"},
		{"ue", "a line\na prompt: with second[/a]"},
	} {
		if _, err := io.WriteString(w, step.write); err != nil || out.String() != step.want {
			t.Fatalf("after %q: %q, %v", step.write, out.String(), err)
		}
	}
}

func TestMemoryIsThatOfTheLongestSecret(t *testing.T) {
	m := mustNew(t, Secret{"/a", strings.Repeat("a", 20)})
	w := m.NewWriter(io.Discard)
	run := []byte(strings.Repeat("a", 10<<10)) // one piece without end
	for range 1000 {
		if _, err := w.Write(run); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.buf) > 100 || cap(w.buf) > 256<<10 || cap(w.found) > 100 {
		t.Errorf("%d bytes held, %d pieces", cap(w.buf), cap(w.found))
	}
}

func TestWhatWasFoundIsCounted(t *testing.T) {
	m := mustNew(t, Secret{"/a", "first-secret"}, Secret{"/b", "second-secret"})
	for _, piece := range []int{1, 7, 1000} {
		_, w := filtered(t, m, "one\ntwo second-secret\nfirst-secret\nsecond-secret first\n", func() int { return piece })
		if got := w.Found(); !slices.Equal(got, []Count{{"/b", 2, 2}, {"/a", 1, 3}}) {
			t.Errorf("got %v", got)
		}
	}
}

func TestTooManyValuesAreRefused(t *testing.T) {
	var secrets []Secret
	for i := range 400 {
		secrets = append(secrets, Secret{fmt.Sprint(i), strings.Repeat(fmt.Sprint(i, "-"), 2000)})
	}
	if _, _, err := New(secrets, false); err == nil || strings.Contains(err.Error(), "399-399") {
		t.Errorf("got %v", err)
	}
}

func FuzzFormsAreFound(f *testing.F) {
	f.Add("hunter2hunter2", "before", "behind")
	f.Add("a\nb\x00\xff\"\\ longer", "", "\n")
	f.Fuzz(func(t *testing.T, value, before, behind string) {
		if len(value) < MinLength || strings.TrimSpace(value) == "" || len(value) > 200 {
			return
		}
		m := mustNew(t, Secret{"N", value})
		for _, form := range []string{value, url.QueryEscape(value), base64.StdEncoding.EncodeToString([]byte(value))} {
			got, _ := filtered(t, m, before+form+behind, func() int { return 3 })
			if !strings.Contains(got, "[N]") {
				t.Errorf("%q in %q stays: %q", value, before+form+behind, got)
			}
		}
	})
}

// A log of ordinary lines, 200 secrets below a path.
func BenchmarkFilter(b *testing.B) {
	r := rand.New(rand.NewPCG(3, 4))
	var secrets []Secret
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/-_"
	for i := range 200 {
		v := make([]byte, 24+r.IntN(24))
		for j := range v {
			v[j] = letters[r.IntN(len(letters))]
		}
		secrets = append(secrets, Secret{fmt.Sprintf("/app/prod/%d", i), string(v)})
	}
	m := mustNew(b, secrets...)
	var text bytes.Buffer
	for i := 0; text.Len() < 8<<20; i++ {
		fmt.Fprintf(&text, "2026-03-04T05:06:%02d.123Z INFO [http-%d] GET /api/orders/%d 200 %dms user=%s trace=%016x\n",
			i%60, i%16, r.IntN(1e6), r.IntN(500), []string{"anna", "bob", "carla"}[i%3], r.Uint64())
		if i%1000 == 0 {
			fmt.Fprintf(&text, "connecting with %s\n", secrets[r.IntN(len(secrets))].Value)
		}
	}
	b.SetBytes(int64(text.Len()))
	b.ReportMetric(float64(len(m.automaton.label)), "states")
	for b.Loop() {
		w := m.NewWriter(io.Discard)
		for chunk := range slices.Chunk(text.Bytes(), 32<<10) {
			if _, err := w.Write(chunk); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
