package forward

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/commands/savedforwards"
	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/forwards"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
	"github.com/ssmdeck/ssmdeck/portforward"
)

// listed is a forward of a command line in the list of this machine, from when its
// ports listen to when its sessions are closed. The list is for others: the forward
// does not wait for it, and what goes wrong with it is a message for --debug.
type listed struct {
	*forwards.Single
	env    *cli.Env
	scope  *awsapi.Scope
	ctx    context.Context // of the forward; ends when somebody stops it from outside
	cancel context.CancelFunc
	wg     sync.WaitGroup
	server *forwards.Server // read it after wg

	mu   sync.Mutex
	mine *forwards.Mine         // nil: not registered, or not yet
	open []forwards.OpenSession // while mine is nil
}

// enlist puts a forward into the list. The labels are what its name is made of.
func enlist(ctx context.Context, env *cli.Env, ends []net.Listener, row forwards.Row, labels ...string) *listed {
	l := &listed{env: env, scope: env.Opened()} // the node was looked up in it
	l.ctx, l.cancel = context.WithCancel(ctx)
	for _, e := range ends {
		row.Local = append(row.Local, e.Addr().String())
	}
	row.Name = forwards.NameOf(ends[0].Addr(), labels...)
	l.Single = forwards.NewSingle(row, l.cancel)
	l.wg.Go(func() {
		if err := l.register(row.Name); err != nil {
			l.debug(err)
		}
	})
	return l
}

// register writes the record of the forward and answers for it.
func (l *listed) register(name string) error {
	reg, err := savedforwards.Registry(l.env)
	if err != nil {
		return err
	}
	base, _ := l.env.Lookup("XDG_RUNTIME_DIR")
	server, err := forwards.Listen(base)
	if err != nil {
		return err
	}
	mine, err := reg.Claim(l.ctx, forwards.Record{
		PID: os.Getpid(), Started: time.Now(), Socket: server.Path(), Profile: profileOf(l.env, l.scope), Region: l.scope.Region(), Sessions: []forwards.OpenSession{},
	}, name)
	if err != nil {
		server.Close()
		return err
	}
	l.Rename(mine.Name())
	l.server = server
	l.mu.Lock()
	l.mine = mine
	for _, s := range l.open {
		mine.Opened(s)
	}
	l.mu.Unlock()
	server.Serve(context.WithoutCancel(l.ctx), l)
	return nil
}

func (l *listed) debug(err error) {
	if log, logErr := l.env.Log(); logErr == nil {
		log.Debug("the forward is not in the list of this machine", "error", err)
	}
}

// noting is svc with its sessions written down, so that they are ended by others
// when this process is killed.
func (l *listed) noting(svc *sessions.Service) *sessions.Service {
	return svc.Noting(func(id string) {
		s := openSession(l.env, l.scope, id)
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.mine == nil {
			l.open = append(l.open, s)
			return
		}
		l.mine.Opened(s)
	}, func(id string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.mine == nil {
			l.open = slices.DeleteFunc(l.open, func(s forwards.OpenSession) bool { return s.ID == id })
			return
		}
		l.mine.Ended(id)
	})
}

// listeners are ends with what passes through them counted.
func (l *listed) listeners(ends []net.Listener) []net.Listener {
	counted := make([]net.Listener, len(ends))
	for i, e := range ends {
		counted[i] = l.Listener(e)
	}
	return counted
}

// leave takes the forward off the list: its sessions are closed. It returns what the
// forward came to: one that was stopped has ended as if by Ctrl-C.
func (l *listed) leave(err error) error {
	l.End()
	l.cancel()
	l.wg.Wait()
	if l.mine != nil {
		l.mine.Leave()
		l.server.Close()
	}
	if !l.Stopped() {
		return err
	}
	l.env.Note("ssmdeck: ended by `ssmdeck forward stop`")
	if errors.Is(err, context.Canceled) {
		return &fault.Exit{Code: fault.Interrupted.ExitCode()}
	}
	return err
}

// opener is what opens the sessions of a listed forward.
func (l *listed) opener(svc *sessions.Service, node, reason, document string) portforward.Opener {
	return l.Opener(&sessions.PortOpener{Service: l.noting(svc), Target: node, Reason: reason, Document: document})
}
