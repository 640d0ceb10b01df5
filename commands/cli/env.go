package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/escapekeys"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/document"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/logstore"
	"github.com/ssmdeck/ssmdeck/internal/network"
	"github.com/ssmdeck/ssmdeck/internal/preferences"
	"github.com/ssmdeck/ssmdeck/internal/rawapi"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/internal/terminal"
	"github.com/ssmdeck/ssmdeck/internal/theme"
)

// Build says which build of ssmdeck runs.
type Build struct{ Version, Commit, Date string }

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

	Interrupts *Interrupts   // nil: signals are somebody else's business
	Paces      *awsapi.Paces // of all scopes that are opened

	Flags Globals
	// AccessRequest is the request with whose credentials sessions are opened;
	// empty: with the caller's own.
	AccessRequest string
	// Asking runs what asks a person something, where the terminal is to be made ready for
	// that; nil: it is.
	Asking func(ask func()) error
	taken  *atomic.Bool // a session has the terminal: nobody else may ask there
	told   *atomic.Bool // what is wrong with the theme was said; nil: settings were not read yet
	themes string       // the folder of themes; empty: beside the configuration file

	given     map[config.Key]string // settings as if they had been typed; see Again
	file      string                // the configuration file that was typed with them
	settings  *config.Settings
	spec      *grid.Spec // of settings; see GridSpec
	place     *onePlace  // in the environment of one scope of several; see within
	scope     *awsapi.Scope
	documents *document.Service
	log       *slog.Logger
	logFile   *os.File
}

// Anew is the environment of another command line: nothing is read or opened yet.
func (e *Env) Anew(words []string) *Env {
	return &Env{
		Build: e.Build, In: e.In, Out: e.Out, Err: e.Err, Lookup: e.Lookup, Args: words,
		Local: e.Local, Interrupts: e.Interrupts, Paces: e.Paces, told: e.told, themes: e.themes,
	}
}

// Again is the environment of another command line in a scope that is open already,
// under the settings that were typed for this one. nil: the scope is opened anew.
func (e *Env) Again(words []string, scope *awsapi.Scope) *Env {
	one := e.Anew(words)
	one.given, one.file, one.taken = e.typed(), e.ConfigFile(), e.taken
	if scope != nil {
		for _, k := range []config.Key{config.Regions, config.Accounts, config.Role, config.ExternalID} {
			delete(one.given, k)
		}
		one.scope, one.spec = scope, &grid.Spec{}
	}
	return one
}

// InContext is the environment of a context of the configuration, under the settings that
// were typed for this one and do not say where to go.
func (e *Env) InContext(context string) *Env {
	one := e.Again(nil, nil)
	for _, k := range []config.Key{config.Profile, config.Region, config.Regions, config.Accounts, config.Role, config.ExternalID, config.EndpointURL} {
		delete(one.given, k)
	}
	one.given[config.Context] = context
	return one
}

// ConfigFile is the configuration file that was typed; empty: none was.
func (e *Env) ConfigFile() string { return cmp.Or(e.Flags.config, e.file) }

// typed are the settings that were typed, for this command line or the one that it
// is a part of.
func (e *Env) typed() map[config.Key]string {
	typed := maps.Clone(e.given)
	if typed == nil {
		return e.Flags.Typed()
	}
	maps.Copy(typed, e.Flags.Typed())
	return typed
}

// Settings returns the resolved settings, reading the configuration file once.
func (e *Env) Settings() (*config.Settings, error) {
	if e.settings != nil {
		return e.settings, nil
	}
	s, err := config.Load(config.Options{
		Lookup: e.Lookup, Flags: e.typed(), Path: e.ConfigFile(), GOOS: runtime.GOOS,
		Check: map[config.Key]func(string) error{
			config.Output: func(v string) error { _, err := render.ParseFormat(v); return err },
			config.Theme:  e.checkTheme,
			config.Color:  func(v string) error { _, err := theme.ParseColorMode(v); return err },
			config.Escape: func(v string) error { _, err := escapekeys.ParseChar(v); return err },
		},
	})
	if err != nil {
		return nil, err
	}
	e.settings = s
	if e.told == nil {
		e.told = new(atomic.Bool)
	}
	return s, nil
}

// Scope opens the account and Region that everything runs in.
func (e *Env) Scope(ctx context.Context) (*awsapi.Scope, error) {
	if e.scope != nil {
		return e.scope, nil
	}
	spec, err := e.GridSpec()
	if err != nil {
		return nil, err
	}
	if spec.Several() {
		return nil, e.oneScope()
	}
	e.scope, err = e.openScope(ctx, "")
	return e.scope, err
}

// Opened is the scope if it has been opened, nil otherwise.
func (e *Env) Opened() *awsapi.Scope { return e.scope }

// Use makes a scope that is open already the one that everything runs in.
func (e *Env) Use(scope *awsapi.Scope) { e.scope = scope }

// At is the environment in another scope.
func (e *Env) At(scope *awsapi.Scope) *Env {
	one := *e
	one.scope, one.documents = scope, nil
	return &one
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
	spec, err := e.GridSpec()
	if err != nil {
		return nil, err
	}
	o := awsapi.Options{
		Paces: e.Paces, Profile: cmp.Or(profile, s.Profile), Region: s.Region, EndpointURL: s.EndpointURL, RoleARN: s.RoleARN, ReadOnly: s.ReadOnly,
		AppVersion: e.Build.Version, Lookup: e.Lookup, Static: e.Local,
	}
	if len(spec.Regions) == 1 && spec.Regions[0] != grid.All {
		o.Region = spec.Regions[0]
	} else if o.Region == "" && len(spec.Regions) > 1 {
		o.Region = spec.Regions[0] // where STS and Organizations are asked
	}
	if e.Debugging() {
		o.Debug = log
	}
	if e.CanAsk() {
		if e.taken == nil {
			e.taken = new(atomic.Bool)
		}
		taken := e.taken
		o.MFA = func(ctx context.Context) (string, error) {
			if taken.Load() {
				return "", fault.New(fault.Auth, "", "an MFA code is needed, and a session has the terminal").
					WithHint("log in again in another terminal")
			}
			return e.Ask(ctx, "MFA code: ")
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
	return NewFleet(scope, e.In), nil
}

// NewFleet returns the service that knows the nodes of a scope; stdin is read where a target
// says so.
func NewFleet(scope *awsapi.Scope, stdin io.Reader) *fleet.Service {
	return fleet.New(scope.SSM(), stdin).Joining(network.New(scope.Config()), fleet.NewClients(scope.Config())).At(scope.Region(), scope.Account)
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
	if e.AccessRequest != "" {
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

// Close closes the log file, if there is one.
func (e *Env) Close() {
	if e.logFile != nil {
		_ = e.logFile.Close()
	}
}

// RenderOptions returns the output format and the rest of what renders a list.
func (e *Env) RenderOptions() (render.Options, error) {
	s, err := e.Settings()
	if err != nil {
		return render.Options{}, err
	}
	format, err := render.ParseFormat(s.Output)
	if err != nil {
		return render.Options{}, err
	}
	if e.Flags.limit < 0 || e.Flags.limit == 0 && e.Flags.Set != nil && e.Flags.Set.Changed("limit") {
		return render.Options{}, fault.Usagef("--limit %d is not a number of items", e.Flags.limit)
	}
	return render.Options{
		Format: format, Query: e.Flags.Query, Columns: e.Flags.columns, SortBy: e.Flags.sortBy,
		NoHeaders: e.Flags.noHeaders, Limit: e.Flags.limit, Width: e.Width(), Styles: e.Styles(e.Out), Notes: e.notes(),
		Now: time.Now(), Location: time.Local,
	}, nil
}

// Styles returns the styles for a stream; a wrong setting is reported by
// whoever reads the settings, not here.
func (e *Env) Styles(w io.Writer) *theme.Styles {
	t, mode, ascii := theme.BuiltIn(theme.Dark), theme.ColorAuto, false
	if s, err := e.Settings(); err == nil {
		t = e.usedTheme(s.Theme)
		mode, _ = theme.ParseColorMode(s.Color)
		ascii = s.ASCII
	}
	return t.Styles(theme.Depth(theme.UseColor(mode, e.Lookup, IsTerminal(w)), e.Lookup), theme.UseASCII(ascii, e.Lookup))
}

// ErrStyles returns the styles for standard error.
func (e *Env) ErrStyles() *theme.Styles { return e.Styles(e.Err) }

// Debugging reports whether calls are logged; settings that cannot be read log none.
func (e *Env) Debugging() bool {
	s, err := e.Settings()
	return err == nil && s.Debug
}

// WantsJSONErrors reports whether errors are for a program to read.
func (e *Env) WantsJSONErrors() bool {
	s, err := e.Settings()
	return err == nil && (s.Output == "json" || s.Output == "jsonl")
}

// Progress starts showing how far something is, on standard error.
func (e *Env) Progress() (*render.Progress, error) {
	mode, err := render.ParseProgressMode(e.Flags.Progress)
	if err != nil {
		return nil, err
	}
	return render.NewProgress(e.Err, render.ProgressOptions{
		Mode: mode, Quiet: e.Flags.Quiet, Terminal: IsTerminal(e.Err) && !theme.Dumb(e.Lookup),
		Width: func() int { return columns(e.Err) }, Styles: e.ErrStyles(),
	}), nil
}

// Note prints a remark for the person at the keyboard.
func (e *Env) Note(format string, args ...any) {
	switch {
	case e.Flags.Quiet:
	case e.place != nil:
		e.place.note(e.Err, format, args...)
	default:
		fmt.Fprintf(e.Err, format+"\n", args...)
	}
}

// Width is that of the terminal on standard output, or of what stands for one, such as
// a pane of the dashboard; 0 when it is none.
func (e *Env) Width() int { return columns(e.Out) }

func columns(stream any) int {
	if pane, ok := stream.(interface{ Columns() int }); ok {
		return pane.Columns()
	}
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

// Busy notes that a session has the terminal, until done is called.
func (e *Env) Busy() (done func()) {
	if e.taken == nil {
		return func() {}
	}
	e.taken.Store(true)
	return func() { e.taken.Store(false) }
}

// CanAsk reports whether a person can be asked something.
func (e *Env) CanAsk() bool {
	s, err := e.Settings()
	return err == nil && !s.NoPrompt && IsTerminal(e.In) && IsTerminal(e.Err)
}

// Ask reads one line from the person. A cancelled ctx (Ctrl-C) ends the wait.
func (e *Env) Ask(ctx context.Context, prompt string) (answer string, err error) {
	if e.Asking == nil {
		return e.ask(ctx, prompt)
	}
	aside := e.Asking(func() { answer, err = e.ask(ctx, prompt) })
	return answer, errors.Join(err, aside)
}

func (e *Env) ask(ctx context.Context, prompt string) (string, error) {
	fmt.Fprint(e.Err, prompt)
	in, release := e.Input()
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

// Confirm asks for a yes, unless it was given beforehand. what says what is
// about to happen; without anybody to ask it is refused.
func (e *Env) Confirm(ctx context.Context, what string) error {
	if e.Flags.Yes {
		return nil
	}
	if !e.CanAsk() {
		return fault.New(fault.Refused, "", "%s needs a confirmation", what).WithHint("add --yes to confirm")
	}
	answer, err := e.Ask(ctx, what+"? [y/N] ")
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

// IsTerminal reports whether a stream is a terminal.
func IsTerminal(stream any) bool {
	if b, ok := stream.(interface{ Behind() *os.File }); ok { // passes everything on, and listens
		stream = b.Behind()
	}
	f, ok := stream.(*os.File)
	return ok && terminal.IsTerminal(f)
}

// notes is where remarks go, nil with --quiet.
func (e *Env) notes() io.Writer {
	if e.Flags.Quiet {
		return nil
	}
	return e.Err
}

// API returns the service that reaches every operation.
func (e *Env) API(ctx context.Context) (*rawapi.Service, error) {
	scope, err := e.Scope(ctx)
	if err != nil {
		return nil, err
	}
	return rawapi.New(scope.SSM()), nil
}

// RefuseWrite ends what a read-only setting would refuse, before anything is read
// or asked.
func (e *Env) RefuseWrite(op *rawapi.Operation, dryRun bool) error {
	return e.RefuseChange(op.Name, dryRun || !op.Writes)
}

// RefuseChange is RefuseWrite for an operation, of any service, that writes.
func (e *Env) RefuseChange(operation string, dryRun bool) error {
	s, err := e.Settings()
	if err != nil {
		return err
	}
	if s.ReadOnly && !dryRun {
		return awsapi.RefuseWrite(operation)
	}
	return nil
}

// JSONUnlessAsked is for what has no columns of its own.
func JSONUnlessAsked(ro render.Options) render.Options {
	if ro.Format == render.FormatAuto {
		ro.Format = render.FormatJSON
	}
	return ro
}

// ShowRequest is --dry-run: what would be sent, without secrets.
func (e *Env) ShowRequest(ro render.Options, r *rawapi.Request) error {
	e.Note("dry run: %s was not sent", r.Operation.Name)
	return render.JSON(e.Out, JSONUnlessAsked(ro), r.JSON())
}

// For returns the environment of another profile or Region, in which nothing is open yet;
// what is empty stays. What the settings say about the account of another profile does not
// hold then, unless it was typed or is in the environment, and a Region that is named
// counts for more than a list of Regions.
func (e *Env) For(profile, region string) (*Env, error) {
	settings, err := e.Settings()
	if err != nil {
		return nil, err
	}
	spec, err := e.GridSpec()
	if err != nil {
		return nil, err
	}
	if _, err := e.Log(); err != nil { // shared
		return nil, err
	}
	if e.taken == nil {
		e.taken = new(atomic.Bool)
	}
	s := *settings
	if profile != "" && profile != s.Profile {
		fromFile := func(k config.Key) bool { return s.Origin(k).Source == config.FromFile }
		if fromFile(config.Region) {
			s.Region = ""
		}
		if fromFile(config.Regions) {
			spec.Regions = nil
		}
		if fromFile(config.EndpointURL) {
			s.EndpointURL = ""
		}
		s.Profile, s.RoleARN = profile, ""
	}
	if profile != "" { // it means its own account
		spec.Profiles, spec.Accounts = nil, nil
	}
	if region != "" {
		s.Region, spec.Regions = region, nil
	}
	one := *e
	one.settings, one.spec, one.scope, one.documents = &s, &spec, nil, nil
	return &one, nil
}

// CheckObject returns the Usage error that printing one thing would, before any call;
// v is an empty one.
func CheckObject(ro render.Options, v any) error {
	return render.Object(io.Discard, ro, v, func(d *render.Detail) { d.ID("-") })
}

// askAccount is how long STS may take to say whose account it is: behind a VPC
// endpoint of Systems Manager alone nobody may answer at all.
const askAccount = 5 * time.Second

// Whereabouts are the account and the Region that this works in.
func (e *Env) Whereabouts(ctx context.Context) (account, region string, err error) {
	scope, err := e.Scope(ctx)
	if err != nil {
		return "", "", err
	}
	if at := e.Placed(); at != nil && at.Account != "" {
		return at.Account, scope.Region(), nil
	}
	ctx, cancel := context.WithTimeout(ctx, askAccount)
	defer cancel()
	account, err = scope.Account(ctx)
	return account, scope.Region(), err
}
