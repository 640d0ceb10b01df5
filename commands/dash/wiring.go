package dash

import (
	"context"
	"io"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/sources"
)

// wiring is what the pages are made from.
type wiring struct {
	env      *cli.Env
	run      Run
	settings *config.Settings
	spec     grid.Spec
	open     func(context.Context) (*grid.Grid, error)
	deck     *deck.Deck
	desk     *feed.Desk
	set      *sources.Set
	meters   meters
	parse    Parse
	own      custom
	shut     error // why no place can be opened

	mu    sync.Mutex // cells are read by command lines behind the dashboard
	cells []grid.Cell
}

func newWiring(ctx context.Context, env *cli.Env, run Run, s *config.Settings, o Options) (*wiring, error) {
	spec, err := env.GridSpec()
	if err != nil {
		return nil, err
	}
	w := &wiring{env: env, run: run, settings: s, spec: spec, parse: o.Parse}
	w.deck = &deck.Deck{
		Styles: env.Styles(env.Out), Now: time.Now(), Location: time.Local, ReadOnly: s.ReadOnly, Still: w.still(), Flags: w.flags,
		Where: deck.Where{Context: s.Context, Region: s.Region, Scopes: 1, Protected: s.Protected},
	}
	if len(spec.Regions) > 0 && spec.Regions[0] != grid.All { // as the places will stand
		w.deck.Where.Region, w.deck.Where.Scopes = spec.Regions[0], len(spec.Regions)
	}
	w.desk = feed.NewDesk(nil, nil)
	w.desk.Budget, w.desk.Count, w.desk.Minute = o.Calls, w.meters.count, w.meters.minute
	if w.open, err = env.OpenGridLater(ctx, spec, w.desk.Note); err != nil {
		if ctx.Err() != nil || fault.KindOf(err) == fault.Interrupted {
			w.desk.Close()
			return nil, err
		}
		w.shut = err // the dashboard says what to do about it
		w.open = func(context.Context) (*grid.Grid, error) { return nil, err }
	}
	w.set = w.feeds()
	return w, nil
}

// close ends what goes on behind the dashboard.
func (w *wiring) close() { w.desk.Close() }

// still reports whether motion is unwanted.
func (w *wiring) still() bool {
	v, _ := w.env.Lookup("SSMDECK_REDUCED_MOTION")
	return v != "" && v != "0" && v != "false"
}

// opened brings the places of the dashboard, or why there are none.
type opened struct {
	grid *grid.Grid
	err  error
}

// start finds the places behind the first frame.
func (w *wiring) start() tea.Cmd {
	return w.desk.Go(func(ctx context.Context) tea.Msg {
		g, err := w.open(ctx)
		return opened{g, err}
	})
}

// take takes the messages of the wiring.
func (w *wiring) take(msg tea.Msg) (cmd tea.Cmd, handled bool) {
	if own, ok := msg.(ownRead); ok {
		w.own = custom(own)
		return w.own.warn(), true
	}
	o, ok := msg.(opened)
	if !ok {
		return nil, false
	}
	if o.err != nil {
		w.shut = o.err
		return w.desk.Open(nil, []grid.Failure{{Err: o.err}}), true
	}
	w.mu.Lock()
	w.cells = o.grid.Cells
	w.mu.Unlock()
	w.meters.use(o.grid.Cells)
	where := &w.deck.Where
	where.Scopes = len(o.grid.Cells) + len(o.grid.Failures)
	where.Accounts, where.Regions = o.kinds()
	if len(o.grid.Cells) > 0 {
		where.Account, where.Region = o.grid.Cells[0].Account, o.grid.Cells[0].Region
	}
	return w.desk.Open(o.grid.Cells, o.grid.Failures), true
}

// kinds are how many accounts and Regions there are among the places.
func (o opened) kinds() (accounts, regions int) {
	who, where := map[string]bool{}, map[string]bool{}
	for _, c := range o.grid.Cells {
		who[c.Who()], where[c.Region] = true, true
	}
	for _, f := range o.grid.Failures {
		who[f.Who()], where[f.Region] = true, true
	}
	return len(who), len(where)
}

// cell is the scope of a place; false: it is not in the grid.
func (w *wiring) cell(at grid.Place) (grid.Cell, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.cells {
		if c.Place == at {
			return c, true
		}
	}
	return grid.Cell{}, false
}

// scope is the scope of a place that rows came from.
func (w *wiring) scope(at grid.Place) (*awsapi.Scope, error) {
	c, ok := w.cell(at)
	if !ok {
		return nil, fault.New(fault.NotFound, "", "%s is not one of the places of this dashboard", at)
	}
	return c.Scope, nil
}

// Run runs a command line in this process. Its scope is that of the place it is
// about, whatever else was chosen: a line never goes to another account. A place
// that is not known, which is what belongs to this machine alone, goes where the
// settings say.
func (w *wiring) Run(ctx context.Context, words []string, at grid.Place, in io.Reader, out, errs io.Writer) int {
	scope, err := w.scope(at)
	one := w.env.Again(words, scope)
	one.In, one.Out, one.Err = in, out, errs
	if err != nil && at != (grid.Place{}) {
		return one.Report(ctx, err)
	}
	if cli.IsTerminal(in) && w.env.Interrupts != nil { // Ctrl-C ends the line, and not the dashboard
		var done func()
		ctx, done = w.env.Interrupts.Context(ctx)
		defer done()
	}
	return w.run(ctx, one)
}

func (w *wiring) pages() []deck.Page {
	return []deck.Page{
		w.overview(), w.fleet(), w.patch(), w.commands(), w.sessions(), w.parameters(), w.automation(), w.windows(),
	}
}

// options are what the dashboard is shown with.
func (w *wiring) options(o Options) tui.Options {
	t := tui.Options{
		Deck: w.deck, Desk: w.desk, Pages: w.pages(), Run: w, Start: o.View, Filter: o.Filter,
		Programs: programs{w}, Own: w,
		Begin: tea.Batch(w.start(), w.readOwn()), Take: w.take, Find: &finder{wiring: w}, Browse: w.browse, CrashFile: w.crashFile,
		Themes: w.env.ThemeNames(), Theme: w.theme, ChosenTheme: strings.ToLower(w.settings.Theme), AskBackground: true, Operations: w.meters.operations,
		Layout: w.layout(), SaveLayout: w.keep, NoMouse: o.NoMouse,
	}
	mode, _ := theme.ParseColorMode(w.settings.Color)
	t.NoColour = !theme.UseColor(mode, w.env.Lookup, true)
	t.ThemeTyped = w.settings.Origin(config.Theme).Source >= config.FromEnv
	if w.env.Local == nil {
		t.Contexts = w.settings.Contexts
	}
	return t
}

// theme makes the styles of a theme.
func (w *wiring) theme(name string, colour, ascii bool) (*theme.Styles, error) {
	t, err := w.env.Theme(name)
	if t == nil {
		return nil, err
	}
	return t.Styles(theme.Depth(colour, w.env.Lookup), ascii), err
}
