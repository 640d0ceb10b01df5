package commands

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/automation"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/logstore"
	"github.com/ssmdeck/ssmdeck/internal/network"
	"github.com/ssmdeck/ssmdeck/internal/preferences"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/internal/terminal"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// Env is everything a command gets from outside, and the one place where
// services are wired. Services are built when first asked for, so that help and
// bad input need no credentials and cost nothing.
type Env struct {
	Build  Build
	In     io.Reader
	Out    io.Writer
	Err    io.Writer
	Lookup config.Lookup
	Args   []string

	// Local, when set, is the simulator that all calls go to.
	Local *awsapi.Static

	interrupts *interrupts // nil: signals are somebody else's business

	flags globals
	// accessRequest is the request with whose credentials sessions are opened;
	// empty: with the caller's own.
	accessRequest string
	taken         *atomic.Bool // a session has the terminal: nobody else may ask there

	settings  *config.Settings
	spec      *grid.Spec // of settings; see gridSpec
	place     *onePlace  // in the environment of one scope of several; see within
	scope     *awsapi.Scope
	paces     *awsapi.Paces // of all scopes that are opened
	documents *document.Service
	log       *slog.Logger
	logFile   *os.File
}

// anew is the environment of another command line: nothing is read or opened yet.
func (e *Env) anew(words []string) *Env {
	one := *e
	one.Args, one.flags, one.settings, one.scope, one.log, one.logFile, one.documents = words, globals{}, nil, nil, nil, nil, nil
	return &one
}

// with is the environment under other settings, in which nothing is open yet.
func (e *Env) with(s config.Settings) (*Env, error) {
	log, err := e.Log()
	if err != nil {
		return nil, err
	}
	return &Env{Build: e.Build, In: e.In, Out: e.Out, Err: e.Err, Lookup: e.Lookup, Local: e.Local, flags: e.flags, settings: &s, log: log}, nil
}

// Settings returns the resolved settings, reading the configuration file once.
func (e *Env) Settings() (*config.Settings, error) {
	if e.settings != nil {
		return e.settings, nil
	}
	s, err := config.Load(config.Options{
		Lookup: e.Lookup, Flags: e.flags.typed(), Path: e.flags.config, GOOS: runtime.GOOS,
		Check: map[config.Key]func(string) error{
			config.Output: func(v string) error { _, err := render.ParseFormat(v); return err },
			config.Theme:  func(v string) error { _, err := theme.ParseVariant(v); return err },
			config.Color:  func(v string) error { _, err := theme.ParseColorMode(v); return err },
			config.Escape: func(v string) error { _, err := parseEscapeChar(v); return err },
		},
	})
	if err != nil {
		return nil, err
	}
	e.settings = s
	return s, nil
}

// Scope opens the account and Region that everything runs in.
func (e *Env) Scope(ctx context.Context) (*awsapi.Scope, error) {
	if e.scope != nil {
		return e.scope, nil
	}
	spec, err := e.gridSpec()
	if err != nil {
		return nil, err
	}
	if spec.Several() {
		return nil, e.oneScope()
	}
	e.scope, err = e.openScope(ctx, "")
	return e.scope, err
}

// opened is the scope if it has been opened, nil otherwise.
func (e *Env) opened() *awsapi.Scope { return e.scope }

// work makes a scope that is open already the one that everything runs in.
func (e *Env) work(in *awsapi.Scope) { e.scope = in }

// at is the environment in another scope.
func (e *Env) at(scope *awsapi.Scope) *Env {
	one := *e
	one.scope, one.documents = scope, nil
	return &one
}

// openAs opens the scope of a profile under other settings. oneRegion is that those name
// the Region, and no list of Regions counts.
func (e *Env) openAs(ctx context.Context, s config.Settings, profile string, oneRegion bool) (*awsapi.Scope, error) {
	spec, err := e.gridSpec()
	if err != nil {
		return nil, err
	}
	if oneRegion {
		spec.Regions = nil
	}
	one := *e
	one.settings, one.spec = &s, &spec
	return one.openScope(ctx, profile)
}

// openScope opens the scope of a profile; "" is that of the settings.
func (e *Env) openScope(ctx context.Context, profile string) (*awsapi.Scope, error) {
	s, err := e.Settings()
	if err != nil {
		return nil, err
	}
	log, err := e.Log()
	if err != nil {
		return nil, err
	}
	spec, err := e.gridSpec()
	if err != nil {
		return nil, err
	}
	o := awsapi.Options{
		Paces: e.paces, Profile: cmp.Or(profile, s.Profile), Region: s.Region, EndpointURL: s.EndpointURL, RoleARN: s.RoleARN, ReadOnly: s.ReadOnly,
		AppVersion: e.Build.Version, Lookup: e.Lookup, Static: e.Local,
	}
	if len(spec.Regions) == 1 && spec.Regions[0] != grid.All {
		o.Region = spec.Regions[0]
	} else if o.Region == "" && len(spec.Regions) > 1 {
		o.Region = spec.Regions[0] // where STS and Organizations are asked
	}
	if e.debugging() {
		o.Debug = log
	}
	if e.canAsk() {
		taken := new(atomic.Bool)
		e.taken = taken
		o.MFA = func(ctx context.Context) (string, error) {
			if taken.Load() {
				return "", fault.New(fault.Auth, "", "an MFA code is needed, and a session has the terminal").
					WithHint("log in again in another terminal")
			}
			return e.ask(ctx, "MFA code: ")
		}
	}
	return awsapi.Open(ctx, o)
}

// Fleet returns the service that knows the nodes.
func (e *Env) Fleet(ctx context.Context) (*fleet.Service, error) {
	scope, err := e.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return newFleet(scope, e.In), nil
}

func newFleet(scope *awsapi.Scope, stdin io.Reader) *fleet.Service {
	return fleet.New(scope.SSM(), stdin).Joining(network.New(scope.Config()), fleet.NewClients(scope.Config()))
}

// findNode resolves expr to the one node that it names.
func (e *Env) findNode(ctx context.Context, expr string) (fleet.Node, error) {
	nodes, err := e.Fleet(ctx)
	if err != nil {
		return fleet.Node{}, err
	}
	return e.settle(ctx, expr, nodes.Find)
}

// Runner returns Run Command.
func (e *Env) Runner(ctx context.Context) (*run.Service, error) {
	scope, err := e.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return run.New(scope.SSM(), logstore.New(scope.Config())), nil
}

// Documents returns the service that knows documents; it is one for a command, so
// that what it remembers serves all of it.
func (e *Env) Documents(ctx context.Context) (*document.Service, error) {
	if e.documents != nil {
		return e.documents, nil
	}
	scope, err := e.Scope(ctx)
	if err != nil {
		return nil, err
	}
	e.documents = document.New(scope.SSM())
	return e.documents, nil
}

// Uploads returns what puts files for documents into S3.
func (e *Env) Uploads(ctx context.Context) (*document.Uploads, error) {
	scope, err := e.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return document.NewUploads(scope.Config()), nil
}

// Automation returns the service that runs runbooks.
func (e *Env) Automation(ctx context.Context) (*automation.Service, error) {
	scope, err := e.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return automation.New(scope.SSM()), nil
}

// Preferences returns the service that knows Session Manager's settings.
func (e *Env) Preferences(ctx context.Context) (*preferences.Service, error) {
	scope, err := e.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return preferences.New(scope.SSM()), nil
}

// Sessions returns the service that opens sessions.
func (e *Env) Sessions(ctx context.Context) (*sessions.Service, error) {
	scope, err := e.Scope(ctx)
	if err != nil {
		return nil, err
	}
	log, err := e.Log()
	if err != nil {
		return nil, err
	}
	o := sessions.Options{UserAgent: "ssmdeck/" + e.Build.Version, Log: log}
	if e.accessRequest != "" {
		if o.Access, err = e.accessScope(ctx, scope); err != nil {
			return nil, err
		}
	}
	return sessions.New(scope, o), nil
}

// Log returns where debug messages go: the log file, standard error with
// --debug, or nowhere.
func (e *Env) Log() (*slog.Logger, error) {
	if e.log != nil {
		return e.log, nil
	}
	s, err := e.Settings()
	if err != nil {
		return nil, err
	}
	w := io.Writer(nil)
	switch {
	case s.LogFile != "":
		f, err := os.OpenFile(s.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, fault.New(fault.Usage, "open the log file", "%w", err)
		}
		e.logFile, w = f, f
	case s.Debug:
		w = e.Err
	}
	if w == nil {
		e.log = slog.New(slog.DiscardHandler)
	} else {
		e.log = slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return e.log, nil
}

func (e *Env) close() {
	if e.logFile != nil {
		_ = e.logFile.Close()
	}
}

// renderOptions returns the output format and the rest of what renders a list.
func (e *Env) renderOptions() (render.Options, error) {
	s, err := e.Settings()
	if err != nil {
		return render.Options{}, err
	}
	format, err := render.ParseFormat(s.Output)
	if err != nil {
		return render.Options{}, err
	}
	if e.flags.limit < 0 || e.flags.limit == 0 && e.flags.set != nil && e.flags.set.Changed("limit") {
		return render.Options{}, fault.Usagef("--limit %d is not a number of items", e.flags.limit)
	}
	return render.Options{
		Format: format, Query: e.flags.query, Columns: e.flags.columns, SortBy: e.flags.sortBy,
		NoHeaders: e.flags.noHeaders, Limit: e.flags.limit, Width: e.width(), Styles: e.styles(e.Out), Notes: e.notes(),
		Now: time.Now(), Location: time.Local,
	}, nil
}

// styles returns the styles for a stream; a wrong setting is reported by
// whoever reads the settings, not here.
func (e *Env) styles(w io.Writer) *theme.Styles {
	variant, mode, ascii := theme.Dark, theme.ColorAuto, false
	if s, err := e.Settings(); err == nil {
		variant, _ = theme.ParseVariant(s.Theme)
		mode, _ = theme.ParseColorMode(s.Color)
		ascii = s.ASCII
	}
	return theme.New(variant, theme.UseColor(mode, e.Lookup, isTerminal(w)), theme.UseASCII(ascii, e.Lookup))
}

func (e *Env) errStyles() *theme.Styles { return e.styles(e.Err) }

func (e *Env) debugging() bool {
	s, err := e.Settings()
	return err == nil && s.Debug
}

// wantsJSONErrors reports whether errors are for a program to read.
func (e *Env) wantsJSONErrors() bool {
	s, err := e.Settings()
	return err == nil && (s.Output == "json" || s.Output == "jsonl")
}

// progress starts showing how far something is, on standard error.
func (e *Env) progress() (*render.Progress, error) {
	mode, err := render.ParseProgressMode(e.flags.progress)
	if err != nil {
		return nil, err
	}
	return render.NewProgress(e.Err, render.ProgressOptions{
		Mode: mode, Quiet: e.flags.quiet, Terminal: isTerminal(e.Err) && !theme.Dumb(e.Lookup),
		Width: func() int { return columns(e.Err) }, Styles: e.errStyles(),
	}), nil
}

// note prints a remark for the person at the keyboard.
func (e *Env) note(format string, args ...any) {
	switch {
	case e.flags.quiet:
	case e.place != nil:
		e.place.note(e.Err, format, args...)
	default:
		fmt.Fprintf(e.Err, format+"\n", args...)
	}
}

// width is that of the terminal on standard output, 0 when it is none.
func (e *Env) width() int { return columns(e.Out) }

func columns(stream any) int {
	f, ok := stream.(*os.File)
	if !ok || !terminal.IsTerminal(f) {
		return 0
	}
	if t, err := terminal.Open(f, f); err == nil {
		if cols, _, err := t.Size(); err == nil && cols > 0 {
			return cols
		}
	}
	return 80
}

// busy notes that a session has the terminal, until done is called.
func (e *Env) busy() (done func()) {
	if e.taken == nil {
		return func() {}
	}
	e.taken.Store(true)
	return func() { e.taken.Store(false) }
}

// canAsk reports whether a person can be asked something.
func (e *Env) canAsk() bool {
	s, err := e.Settings()
	return err == nil && !s.NoPrompt && isTerminal(e.In) && isTerminal(e.Err)
}

// ask reads one line from the person. A cancelled ctx (Ctrl-C) ends the wait.
func (e *Env) ask(ctx context.Context, prompt string) (string, error) {
	fmt.Fprint(e.Err, prompt)
	in, release := e.input()
	defer release()
	defer context.AfterFunc(ctx, release)()
	var line []byte
	one := make([]byte, 1)
	for {
		n, err := in.Read(one)
		switch {
		case ctx.Err() != nil:
			fmt.Fprintln(e.Err)
			return "", ctx.Err()
		case n == 1 && one[0] != '\n':
			line = append(line, one[0])
		case n == 1, errors.Is(err, io.EOF) && len(line) > 0:
			return strings.TrimSpace(string(line)), nil
		case err != nil:
			fmt.Fprintln(e.Err)
			return "", fault.New(fault.Refused, "", "no answer")
		}
	}
}

// confirm asks for a yes, unless it was given beforehand. what says what is
// about to happen; without anybody to ask it is refused.
func (e *Env) confirm(ctx context.Context, what string) error {
	if e.flags.yes {
		return nil
	}
	if !e.canAsk() {
		return fault.New(fault.Refused, "", "%s needs a confirmation", what).WithHint("add --yes to confirm")
	}
	answer, err := e.ask(ctx, what+"? [y/N] ")
	if err != nil {
		return err
	}
	switch strings.ToLower(answer) {
	case "y", "yes":
		return nil
	default:
		return fault.New(fault.Refused, "", "not confirmed")
	}
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && terminal.IsTerminal(f)
}

// notes is where remarks go, nil with --quiet.
func (e *Env) notes() io.Writer {
	if e.flags.quiet {
		return nil
	}
	return e.Err
}
