// Command termsvg turns a captured terminal screen into an SVG. It reads text with
// SGR sequences, as `tmux capture-pane -e -p` prints it, and places every cell on a
// grid, so that the picture shows whether columns line up.
//
//	tmux capture-pane -e -p | termsvg -columns 120 -rows 36 [-light] > screen.svg
package main

import (
	"bufio"
	"flag"
	"fmt"
	"html"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/mattn/go-runewidth"
)

// A cell in pixels.
const (
	cellWidth  = 8.4
	cellHeight = 18
)

// palette is the sixteen colours and those of the background and of text.
type palette struct {
	back, text string
	colours    [16]string
}

var (
	dark = palette{"#16181d", "#d5d8df", [16]string{
		"#2b2f38", "#e5695e", "#7fbf6a", "#d9a94e", "#6aa2e8", "#c07fd8", "#55b6c2", "#c8ccd4",
		"#7c8494", "#ff8b80", "#a3dd8e", "#f3cb7a", "#93bdf5", "#dba3ee", "#7fd6e0", "#ffffff",
	}}
	light = palette{"#ffffff", "#22252b", [16]string{
		"#22252b", "#b3261e", "#2e7d32", "#8a6100", "#1f5fae", "#8e2aa8", "#00707d", "#5f6673",
		"#7c8494", "#d3433a", "#3f9a44", "#a87800", "#3478cc", "#a947c4", "#008a99", "#ffffff",
	}}
)

// style is what SGR sequences have set.
type style struct {
	fore, back string // empty: that of the terminal
	bold, dim  bool
	under      bool
	reverse    bool
}

// run is cells of one line that look alike.
type run struct {
	at, width int
	text      strings.Builder
	style     style
}

func main() {
	columns := flag.Int("columns", 80, "width of the screen in `cells`")
	rows := flag.Int("rows", 24, "height of the screen in `cells`")
	isLight := flag.Bool("light", false, "a light background")
	flag.Parse()
	p := dark
	if *isLight {
		p = light
	}
	out := bufio.NewWriter(os.Stdout)
	if err := draw(out, os.Stdin, *columns, *rows, p); err != nil {
		fmt.Fprintln(os.Stderr, "termsvg:", err)
		os.Exit(1)
	}
	if err := out.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, "termsvg:", err)
		os.Exit(1)
	}
}

func draw(w io.Writer, r io.Reader, columns, rows int, p palette) error {
	data, err := io.ReadAll(io.LimitReader(r, 4<<20))
	if err != nil {
		return err
	}
	const margin = 10
	width, height := float64(columns)*cellWidth+2*margin, float64(rows*cellHeight+2*margin)
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14" xml:space="preserve">`+"\n", width, height, width)
	fmt.Fprintf(w, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", p.back)
	var st style
	for y, line := range strings.Split(string(data), "\n") {
		if y >= rows {
			break
		}
		for _, u := range runs(line, &st, p, columns) {
			drawRun(w, u, p, margin+float64(u.at)*cellWidth, float64(margin+y*cellHeight))
		}
	}
	fmt.Fprintln(w, "</svg>")
	return nil
}

func drawRun(w io.Writer, u *run, p palette, x, y float64) {
	fore, back := u.style.fore, u.style.back
	if fore == "" {
		fore = p.text
	}
	if u.style.reverse {
		if back == "" {
			back = p.back
		}
		fore, back = back, fore
	}
	if back != "" {
		fmt.Fprintf(w, `<rect x="%.1f" y="%.1f" width="%.1f" height="%d" fill="%s"/>`, x, y, float64(u.width)*cellWidth, cellHeight, back)
	}
	text := u.text.String()
	if strings.TrimSpace(text) == "" {
		return
	}
	extra := ""
	if u.style.bold {
		extra += ` font-weight="bold"`
	}
	if u.style.dim {
		extra += ` opacity="0.65"`
	}
	if u.style.under {
		extra += ` text-decoration="underline"`
	}
	fmt.Fprintf(w, `<text x="%.1f" y="%.1f" fill="%s" textLength="%.1f" lengthAdjust="spacingAndGlyphs"%s>%s</text>`+"\n",
		x, y+13.5, fore, float64(u.width)*cellWidth, extra, html.EscapeString(text))
}

// runs cuts a line where the style changes, and at characters that are not one cell
// wide, so that nothing behind one moves. A style goes on into the next line.
func runs(line string, st *style, p palette, columns int) []*run {
	var out []*run
	at, fresh, signs, last := 0, true, false, rune(0)
	for line != "" && at < columns {
		if rest, ok := strings.CutPrefix(line, "\x1b["); ok {
			end := strings.IndexFunc(rest, func(r rune) bool { return r >= '@' && r <= '~' })
			if end < 0 {
				break
			}
			if rest[end] == 'm' {
				sgr(rest[:end], st, p)
			}
			line, fresh = rest[end+1:], true
			continue
		}
		r, size := rune(line[0]), 1
		for i, c := range line {
			if i == 0 {
				r, size = c, len(string(c))
			}
			break
		}
		line = line[size:]
		cells := runewidth.RuneWidth(r)
		if r < ' ' {
			continue
		}
		drawn := cells != 1 || r > 0x24ff // keeps to its cells, and to its like
		if fresh || (drawn || signs) && r != last {
			out = append(out, &run{at: at, style: *st})
		}
		fresh, signs, last = false, drawn, r
		u := out[len(out)-1]
		u.text.WriteRune(r)
		u.width += cells
		at += cells
	}
	return out
}

// sgr takes the numbers of one Select Graphic Rendition sequence (ECMA-48 8.3.117).
func sgr(text string, st *style, p palette) {
	words := strings.Split(text, ";")
	for i := 0; i < len(words); i++ {
		n, _ := strconv.Atoi(words[i])
		switch {
		case n == 38 || n == 48:
			colour, used := extended(words[i+1:], p)
			if i += used; n == 38 {
				st.fore = colour
			} else {
				st.back = colour
			}
		case n == 0:
			*st = style{}
		case n == 1:
			st.bold = true
		case n == 2:
			st.dim = true
		case n == 4:
			st.under = true
		case n == 7:
			st.reverse = true
		case n == 22:
			st.bold, st.dim = false, false
		case n == 24:
			st.under = false
		case n == 27:
			st.reverse = false
		case n >= 30 && n <= 37:
			st.fore = p.colours[n-30]
		case n >= 90 && n <= 97:
			st.fore = p.colours[n-90+8]
		case n == 39:
			st.fore = ""
		case n >= 40 && n <= 47:
			st.back = p.colours[n-40]
		case n >= 100 && n <= 107:
			st.back = p.colours[n-100+8]
		case n == 49:
			st.back = ""
		}
	}
}

// extended takes what follows 38 or 48: 5 and a number of 256, or 2 and red, green, blue.
// used is how many words that were.
func extended(words []string, p palette) (colour string, used int) {
	number := func(i int) int {
		if i >= len(words) {
			return 0
		}
		n, _ := strconv.Atoi(words[i])
		return n & 0xff
	}
	switch number(0) {
	case 2:
		return fmt.Sprintf("#%02x%02x%02x", number(1), number(2), number(3)), 4
	case 5:
		return indexed(number(1), p), 2
	}
	return "", 0
}

// indexed is one of 256 colours: the sixteen, a cube of 6x6x6, and 24 greys.
func indexed(n int, p palette) string {
	steps := [6]int{0, 95, 135, 175, 215, 255}
	switch {
	case n < 16:
		return p.colours[n]
	case n < 232:
		n -= 16
		return fmt.Sprintf("#%02x%02x%02x", steps[n/36], steps[n/6%6], steps[n%6])
	default:
		grey := 8 + 10*(n-232)
		return fmt.Sprintf("#%02x%02x%02x", grey, grey, grey)
	}
}
