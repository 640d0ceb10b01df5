package dash_test

import (
	"context"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/pflag"

	"github.com/ssmdeck/ssmdeck/commands"
	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/dash"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/deck"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// flow is the whole dashboard over a simulator of its own: the pages, feeds and
// command lines as `dash` wires them, the real program, a screen in memory.
type flow struct {
	t    testing.TB
	srv  *simulator.Server
	prog *tea.Program
	// pages belong to the program until it has ended.
	pages []deck.Page
	opts  tui.Options

	mu    sync.Mutex
	frame string
	never string   // what no frame may show; empty: nothing
	lines []string // command lines that ran
	own   bool     // the file of the user's own has been read
	news  chan struct{}
	ended chan struct{}
}

// flowOptions are what a flow differs in.
type flowOptions struct {
	dash     dash.Options
	scenario *world.Scenario // nil: the demo fleet
	env      map[string]string
	flags    []string // global flags: "--read-only"
	width    int      // 0: 140
	height   int      // 0: 40
	bench    bool     // updates and keys are measured
}

// startFlow opens the dashboard on the view of o.
func startFlow(t testing.TB, o flowOptions) *flow {
	t.Helper()
	srv, err := simulator.Start(context.Background(), simulator.Options{Scenario: o.scenario})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	f := &flow{t: t, srv: srv, news: make(chan struct{}, 1), ended: make(chan struct{})}
	env := f.env(o)
	o.dash.Parse = commands.Parse
	opts, closeDesk, err := dash.Wire(t.Context(), env, commands.Run, o.dash)
	if err != nil {
		t.Fatal(err)
	}
	opts.Run, f.pages = recorder{f, opts.Run}, opts.Pages
	opts.Glance = 1 // tests read fast
	f.opts = opts
	width, height := o.width, o.height
	if width == 0 {
		width, height = 140, 40
	}
	model := tea.Model(&watched{tui.New(opts), f})
	if o.bench {
		model = &bench{watched: watched{tui.New(opts), f}}
	}
	f.prog = tea.NewProgram(model, tea.WithInput(nil), tea.WithOutput(io.Discard),
		tea.WithWindowSize(width, height), tea.WithoutSignalHandler(), tea.WithColorProfile(colorprofile.ASCII))
	go func() {
		defer close(f.ended)
		if _, err := f.prog.Run(); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		f.prog.Quit()
		<-f.ended
		closeDesk()
	})
	return f
}

// env is the environment of somebody whose account is the simulator.
func (f *flow) env(o flowOptions) *cli.Env {
	home := f.t.TempDir()
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "AppData", "LocalAppData"} {
		f.t.Setenv(name, home)
	}
	for _, name := range []string{"AWS_PROFILE", "AWS_CA_BUNDLE", "AWS_SESSION_TOKEN", "NO_COLOR"} {
		f.t.Setenv(name, "")
	}
	f.t.Setenv("LANG", "C.UTF-8")
	f.t.Setenv("SSMDECK_REDUCED_MOTION", "1")
	for _, v := range f.srv.Env() { // the SDK reads the environment of the process
		name, value, _ := strings.Cut(v, "=")
		f.t.Setenv(name, value)
	}
	for name, value := range o.env {
		f.t.Setenv(name, value)
	}
	env := &cli.Env{
		Build: cli.Build{Version: "test"}, In: strings.NewReader(""), Out: io.Discard, Err: io.Discard,
		Paces: new(awsapi.Paces), Lookup: os.LookupEnv,
	}
	flags := pflag.NewFlagSet("ssmdeck", pflag.ContinueOnError)
	env.Flags.Bind(flags)
	if err := flags.Parse(o.flags); err != nil {
		f.t.Fatal(err)
	}
	return env
}

// watched shows the frames of the model to the test.
type watched struct {
	*tui.Model
	f *flow
}

func (w *watched) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	_, cmd := w.Model.Update(msg)
	if dash.IsOwn(msg) {
		w.f.mu.Lock()
		w.f.own = true
		w.f.mu.Unlock()
		w.f.tell()
	}
	if c := w.Broken(); c != nil {
		w.f.t.Errorf("a panic behind the dashboard: %v\n%s", c.Value, c.Stack)
	}
	return w, cmd
}

func (w *watched) View() tea.View {
	v := w.Model.View()
	w.f.mu.Lock()
	w.f.frame = ansi.Strip(v.Content)
	if w.f.never != "" && strings.Contains(w.f.frame, w.f.never) {
		w.f.t.Errorf("the screen shows %q:\n%s", w.f.never, w.f.frame)
	}
	w.f.mu.Unlock()
	w.f.tell()
	return v
}

func (f *flow) tell() {
	select {
	case f.news <- struct{}{}:
	default:
	}
}

// recorder notes the command lines that run.
type recorder struct {
	f  *flow
	to tui.Runner
}

func (r recorder) Run(ctx context.Context, words []string, at grid.Place, in io.Reader, out, errs io.Writer) int {
	r.f.mu.Lock()
	r.f.lines = append(r.f.lines, strings.Join(words, " "))
	r.f.mu.Unlock()
	r.f.tell()
	return r.to.Run(ctx, words, at, in, out, errs)
}

// press presses keys by their names.
func (f *flow) press(keys ...string) {
	for _, k := range keys {
		f.prog.Send(tuitest.Key(k))
	}
}

// write types a text.
func (f *flow) write(text string) {
	for _, r := range text {
		f.prog.Send(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
}

// screen is what is seen now.
func (f *flow) screen() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.frame
}

// flowWait is how long a flow waits for something to be seen.
const flowWait = time.Minute

// waitUntil waits until a condition holds.
func (f *flow) waitUntil(what string, cond func() bool) {
	f.t.Helper()
	timeout := time.After(flowWait)
	for !cond() {
		select {
		case <-f.news:
		case <-timeout:
			f.t.Fatalf("%s: not within %s; the screen is\n%s", what, flowWait, f.screen())
		}
	}
}

// waitFor waits until the screen shows all texts.
func (f *flow) waitFor(texts ...string) {
	f.t.Helper()
	f.waitUntil("waiting for "+strings.Join(texts, ", "), func() bool {
		s := f.screen()
		for _, text := range texts {
			if !strings.Contains(s, text) {
				return false
			}
		}
		return true
	})
}

// waitGone waits until the screen shows a text no more.
func (f *flow) waitGone(text string) {
	f.t.Helper()
	f.waitUntil("waiting for "+text+" to go", func() bool { return !strings.Contains(f.screen(), text) })
}

// waitLine waits until a command line has been run that begins so.
func (f *flow) waitLine(prefix string) (line string) {
	f.t.Helper()
	f.waitUntil("waiting for the line "+prefix, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, l := range f.lines {
			if strings.HasPrefix(l, prefix) {
				line = l
				return true
			}
		}
		return false
	})
	return line
}

func TestTheFleetOfTheSimulatorIsSeen(t *testing.T) {
	f := startFlow(t, flowOptions{dash: dash.Options{View: "fleet", Calls: 120}})
	f.waitFor("web-1", "calls/min", "2▸Fleet")
	f.press("/")
	f.write("web-1")
	f.waitFor("1 of ")
	f.press("enter")
	f.waitFor("filter: web-1")
}
