package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/levels"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/forwards"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/terminal"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// redrawEvery is how often the view shows new numbers.
const redrawEvery = 500 * time.Millisecond

// boardView shows forwards on a terminal, in place, below what was there, and
// takes keys.
type boardView struct {
	out    io.Writer
	term   *terminal.Terminal
	keys   *os.File
	sup    *forwards.Supervisor
	styles *theme.Styles
	quit   func()
	change chan struct{} // capacity 1

	mu     sync.Mutex
	chosen int // index of the row that keys are for

	painting sync.Mutex
	drawn    int // lines on the screen; guarded by painting
}

// newBoardView returns nil when there is no terminal to draw on.
func newBoardView(env *cli.Env, sup *forwards.Supervisor, quit func()) *boardView {
	in, isFile := env.In.(*os.File)
	out, alsoFile := env.Err.(*os.File)
	if !isFile || !alsoFile {
		return nil
	}
	term, err := terminal.Open(in, out)
	if err != nil {
		return nil
	}
	return &boardView{out: out, term: term, keys: in, sup: sup, styles: env.ErrStyles(), quit: quit, change: make(chan struct{}, 1)}
}

func (v *boardView) event(forwards.Event) { v.changed() }

func (v *boardView) changed() {
	select {
	case v.change <- struct{}{}:
	default:
	}
}

// start shows the view until ctx ends; wait waits for its last picture and gives
// the terminal back.
func (v *boardView) start(ctx context.Context) (wait func() error) {
	guard := v.term.Guard()
	guard.OnStop(v.aside)
	keys, err := terminal.CancelableReader(v.keys)
	if err == nil {
		err = guard.Raw()
	}
	if err != nil {
		return func() error { return err }
	}
	stopSignal, stopDone := guard.RestoreOnSignal(), context.AfterFunc(ctx, keys.Cancel)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer guard.RestoreOnPanic()
		v.show(ctx)
	})
	wg.Go(func() {
		defer guard.RestoreOnPanic()
		v.listen(ctx, keys, &wg)
	})
	return func() error {
		keys.Cancel()
		wg.Wait()
		stopDone()
		stopSignal()
		_ = keys.Close()
		return guard.Close()
	}
}

func (v *boardView) show(ctx context.Context) {
	tick := time.NewTicker(redrawEvery)
	defer tick.Stop()
	for {
		v.draw()
		select {
		case <-tick.C:
		case <-v.change:
		case <-ctx.Done():
			v.draw()
			return
		}
	}
}

// draw writes the picture over the last one.
func (v *boardView) draw() {
	cols, rows, err := v.term.Size()
	if err != nil || cols <= 0 || rows <= 0 {
		cols, rows = 80, 24
	}
	v.mu.Lock()
	chosen := v.chosen
	v.mu.Unlock()
	lines := boardLines(v.sup.Rows(), chosen, cols, rows, time.Now(), v.styles)
	v.painting.Lock()
	defer v.painting.Unlock()
	_ = cli.Repaint(v.out, v.drawn, lines)
	v.drawn = len(lines)
}

// aside draws nothing while pause runs, and then a new picture under what was said
// meanwhile.
func (v *boardView) aside(pause func() error) {
	v.painting.Lock()
	_ = pause() // where nobody could let us go on, we go on at once
	v.drawn = 0
	v.painting.Unlock()
	v.changed()
}

// listen obeys keys. What takes long runs beside it.
func (v *boardView) listen(ctx context.Context, keys io.Reader, wg *sync.WaitGroup) {
	one := make([]byte, 1)
	for {
		n, err := keys.Read(one)
		if err != nil {
			v.quit() // the terminal is gone, or we are leaving anyway
			return
		}
		if n == 0 {
			continue
		}
		v.mu.Lock()
		rows := v.sup.Rows()
		v.chosen = min(v.chosen, len(rows)-1)
		row := rows[v.chosen]
		switch c := one[0]; c {
		case 'q', 'Q', 0x03, 0x04: // Ctrl-C, Ctrl-D
			v.mu.Unlock()
			v.quit()
			return
		case 'r', 'R':
			wg.Go(func() { v.sup.Restart(ctx, []string{row.Name}) })
		case 'x', 'X':
			wg.Go(func() {
				if row.State == forwards.Closed {
					v.sup.Restart(ctx, []string{row.Name})
				} else {
					v.sup.Stop(ctx, []string{row.Name})
				}
				v.changed()
			})
		case 'j':
			v.chosen = min(v.chosen+1, len(rows)-1)
		case 'k':
			v.chosen = max(v.chosen-1, 0)
		default:
			if i := int(c) - '1'; i >= 0 && i < min(9, len(rows)) {
				v.chosen = i
			}
		}
		v.mu.Unlock()
		v.changed()
	}
}

// boardLines is the picture: a line for each local end, one for an error, and one
// for the keys, as many as fit into rows lines of cols cells.
func boardLines(all []forwards.Row, chosen, cols, rows int, now time.Time, st *theme.Styles) []string {
	g := &st.Glyphs
	var names, states, locals, numbers int
	for i := range all {
		names = max(names, render.Width(all[i].Name))
		states = max(states, render.Width(boardState(&all[i], now)))
		numbers = max(numbers, render.Width(boardNumbers(&all[i], g)))
		for _, l := range all[i].Local {
			locals = max(locals, render.Width(l))
		}
	}
	var lines []string
	for i := range all {
		r := &all[i]
		mark, number := " ", " "
		if i == chosen {
			mark = g.Pointer
		}
		if i < 9 {
			number = strconv.Itoa(i + 1)
		}
		head := fmt.Sprintf("%s%s %s  %s", mark, number, padded(r.Name, names), st.Status(levels.Forward(r.State), padded(boardState(r, now), states)))
		figures := boardNumbers(r, g)
		for j := range r.Local {
			line := fmt.Sprintf("%s  %s", head, padded(r.Local[j], locals))
			if numbers > 0 {
				line += "  " + padded(figures, numbers)
			}
			lines = append(lines, fmt.Sprintf("%s  %s %s via %s", line, g.Arrow, render.Visible(r.Remote[j]), render.Visible(r.Node)))
			head, figures = strings.Repeat(" ", render.Width(head)), ""
		}
		if r.Error != "" {
			text := cli.FirstLine(errors.New(r.Error))
			if r.Hint != "" {
				text += "; " + render.Visible(r.Hint)
			}
			lines = append(lines, "     "+st.Dim.Render(text))
		}
		if r.Exposed {
			lines = append(lines, "     "+st.Warn.Render("other machines may be able to connect"))
		}
	}
	if most := max(rows-2, 1); len(lines) > most { // the keys, and the cursor's line
		lines = append(lines[:most-1], st.Dim.Render(fmt.Sprintf("     %d more lines", len(lines)-most+1)))
	}
	lines = append(lines, st.Dim.Render("1-9 choose "+g.Sep+" R restart "+g.Sep+" X stop or start "+g.Sep+" q quit"))
	for i := range lines {
		lines[i] = render.CutEnd(lines[i], max(cols-1, 1), g.Ellipsis)
	}
	return lines
}

// boardState is the state in words, with the time that something takes.
func boardState(r *forwards.Row, now time.Time) string {
	if wait := r.Retry.Sub(now); r.State == forwards.Failed && wait > 0 {
		return fmt.Sprintf("failed, again in %d s", int(wait.Seconds())+1)
	}
	return string(r.State)
}

// boardNumbers is connections now and ever, and what they have moved and move.
func boardNumbers(r *forwards.Row, g *theme.Glyphs) string {
	if r.Total == 0 {
		return ""
	}
	text := fmt.Sprintf("%s of %d  %s %s/s %s  %s %s/s %s", r.Now(), r.Total,
		g.Down, render.Bytes(int64(r.InRate)), render.Bytes(r.In), g.Up, render.Bytes(int64(r.OutRate)), render.Bytes(r.Out))
	if r.Lanes > 1 {
		text += fmt.Sprintf("  %d sessions", r.Lanes)
	}
	return text
}

func padded(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-render.Width(s)))
}
