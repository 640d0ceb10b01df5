package forward

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/savedforwards"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/forwards"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/portforward"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

// tellProject says that forwards of a repository are about to be used, when they
// are new or have changed.
func tellProject(env *cli.Env, s forwards.Saved, chosen []forwards.Entry) {
	if s.Project == "" {
		return
	}
	for _, name := range s.Hidden {
		env.Note("ssmdeck: %s of %s is not used: your own file has that name", name, s.Project)
	}
	for i := range chosen {
		if chosen[i].File != s.Project {
			continue
		}
		if dir, err := savedforwards.Dir(env); err == nil && forwards.FirstUse(dir, s.Project) {
			env.Note("ssmdeck: using forwards of this project: %s", s.Project)
		}
		return
	}
}

// accounts opens what saved forwards need of each profile and Region, once.
type accounts struct {
	ctx  context.Context // of the process: credentials outlive the session they were fetched for
	env  *cli.Env
	mine func() *forwards.Mine // notes the sessions
	mute bool                  // nobody can be asked for an MFA code: a view has the terminal

	mu sync.Mutex
	by map[[2]string]*account
}

// account is one profile and Region.
type account struct {
	nodes    *fleet.Service
	sessions *sessions.Service
}

func newAccounts(ctx context.Context, env *cli.Env, mine func() *forwards.Mine) *accounts {
	return &accounts{ctx: ctx, env: env, mine: mine, by: map[[2]string]*account{}}
}

func (a *accounts) get(profile, region string) (*account, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := [2]string{profile, region}
	if acc := a.by[key]; acc != nil {
		return acc, nil
	}
	env, err := a.env.For(profile, region)
	if err != nil {
		return nil, err
	}
	settings, err := env.Settings()
	if err != nil {
		return nil, err
	}
	settings.NoPrompt = settings.NoPrompt || a.mute
	log, err := env.Log()
	if err != nil {
		return nil, err
	}
	scope, err := env.Scope(a.ctx)
	if err != nil {
		return nil, err
	}
	acc := &account{
		nodes: cli.NewFleet(scope, env.In),
		sessions: sessions.New(scope, sessions.Options{
			UserAgent: "ssmdeck/" + env.Build.Version, Log: log,
			Opened: func(id string) {
				if m := a.mine(); m != nil {
					m.Opened(openSession(a.env, scope, id))
				}
			},
			Ended: func(id string) {
				if m := a.mine(); m != nil {
					m.Ended(id)
				}
			},
		}),
	}
	a.by[key] = acc
	return acc, nil
}

// openSession is a session with all that is needed to end it from elsewhere: what a
// variable or the configuration said here may not hold there.
func openSession(env *cli.Env, scope *awsapi.Scope, id string) forwards.OpenSession {
	return forwards.OpenSession{ID: id, Profile: profileOf(env, scope), Region: scope.Region(), Role: scope.Role(), Endpoint: ssmEndpoint(env, scope)}
}

// profileOf is the profile that the credentials are of, "" for none: credentials in
// variables count for more than a profile in one.
func profileOf(env *cli.Env, scope *awsapi.Scope) string {
	named := scope.Profile()
	if key, _ := env.Lookup("AWS_ACCESS_KEY_ID"); key == "" {
		return named
	}
	s, err := env.Settings()
	for _, name := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE"} {
		if v, _ := env.Lookup(name); v == named && err == nil && s.Profile == "" {
			return ""
		}
	}
	return named
}

// ssmEndpoint is the address that was chosen for Systems Manager, "" for AWS's own.
func ssmEndpoint(env *cli.Env, scope *awsapi.Scope) string {
	if own := scope.Endpoint(); own != "" {
		return own
	}
	for _, name := range []string{"AWS_ENDPOINT_URL_SSM", "AWS_ENDPOINT_URL"} {
		if v, _ := env.Lookup(name); v != "" {
			return v
		}
	}
	return ""
}

// bury ends the sessions of processes that were killed.
func (a *accounts) bury(ctx context.Context, reg forwards.Registry, dead []forwards.Record) {
	for _, rec := range dead {
		n := len(rec.Sessions)
		err := reg.Bury(rec, time.Now(), func(s forwards.OpenSession) error { return a.terminate(ctx, s) })
		switch {
		case err != nil:
			a.env.Note("ssmdeck: sessions of process %d, which was killed, may still be open: %s", rec.PID, cli.FirstLine(err))
		case n > 0:
			a.env.Note("ssmdeck: ended %s that process %d, which was killed, had left open", cli.Plural(n, "session"), rec.PID)
		}
	}
}

func (a *accounts) terminate(ctx context.Context, s forwards.OpenSession) error {
	env, err := a.env.For(s.Profile, s.Region)
	if err != nil {
		return err
	}
	scope, err := env.Scope(ctx)
	if err != nil {
		return err
	}
	if ssmEndpoint(a.env, scope) != s.Endpoint {
		if loopbackURL(s.Endpoint) {
			return nil // a simulator, which ends sessions with itself
		}
		return fmt.Errorf("they are at another endpoint, %q", s.Endpoint)
	}
	if scope, err = asOpened(env, scope, s); err != nil {
		return err
	}
	log, err := env.Log()
	if err != nil {
		return err
	}
	_, err = sessions.New(scope, sessions.Options{Log: log}).Terminate(ctx, s.ID)
	if fault.KindOf(err) == fault.NotFound {
		return nil // long over
	}
	return err
}

// asOpened is a scope with the credentials that a session was opened with: with others it
// would seem not to be there, and be forgotten.
func asOpened(env *cli.Env, scope *awsapi.Scope, s forwards.OpenSession) (*awsapi.Scope, error) {
	switch {
	case profileOf(env, scope) != s.Profile: // For has chosen the one that is named
		return nil, fmt.Errorf("they were opened without the profile %s", scope.Profile())
	case scope.Role() == s.Role:
		return scope, nil
	case s.Role == "":
		return nil, fmt.Errorf("they were opened without the role %s", scope.Role())
	}
	spec, err := env.GridSpec()
	if err != nil {
		return nil, err
	}
	return scope.As(s.Role, spec.ExternalID), nil
}

func loopbackURL(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && addr.IsLoopback()
}

// opener returns what opens the sessions of an entry. Nothing is asked of AWS
// before somebody connects.
func (a *accounts) opener(e forwards.Entry) portforward.Opener {
	return &savedOpener{accounts: a, entry: e}
}

type savedOpener struct {
	accounts *accounts
	entry    forwards.Entry

	mu   sync.Mutex
	node string // id, once found
}

func (o *savedOpener) Open(ctx context.Context, spec portforward.Spec, events func(sessionclient.Event)) (portforward.Session, error) {
	acc, err := o.accounts.get(o.entry.Profile, o.entry.Region)
	if err != nil {
		return nil, err
	}
	id, err := o.find(ctx, acc)
	if err != nil {
		return nil, err
	}
	opener := &sessions.PortOpener{Service: acc.sessions, Target: id, Reason: o.entry.Reason}
	s, err := opener.Open(ctx, spec, events)
	if kind := fault.KindOf(err); kind == fault.Offline || kind == fault.NotFound {
		o.remember("") // it may have been replaced
	}
	return s, err
}

func (o *savedOpener) find(ctx context.Context, acc *account) (string, error) {
	o.mu.Lock()
	id := o.node
	o.mu.Unlock()
	if id != "" {
		return id, nil
	}
	node, err := acc.nodes.Resolve(ctx, o.entry.Node)
	if err != nil {
		return "", err
	}
	o.remember(node.ID)
	return node.ID, nil
}

func (o *savedOpener) remember(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.node = id
}

// completeForwards completes names and groups of saved forwards; running limits
// them to those that run.
func completeForwards(env *cli.Env, file *string, running bool) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		var words []string
		if running {
			reg, err := savedforwards.Registry(env)
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), cli.CompletionWait)
			defer cancel()
			alive, _, _ := reg.Look(ctx)
			for _, p := range alive {
				for _, r := range p.Rows {
					words = append(words, r.Name+"\t"+strings.Join(r.Local, " "))
				}
			}
			return words, cobra.ShellCompDirectiveNoFileComp
		}
		saved, err := savedforwards.Load(env, *file)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		groups := map[string]bool{}
		for i := range saved.Entries {
			f := &saved.Entries[i]
			words = append(words, f.Name+"\t"+strings.Join(f.Local(), " ")+" "+render.Visible(f.Description))
			for _, g := range f.Groups {
				if !groups[g] {
					words, groups[g] = append(words, g+"\tgroup"), true
				}
			}
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}

var errNoForwards = errors.New("there are no saved forwards")
