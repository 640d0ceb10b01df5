package pageparams

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/tui/feed"
	"github.com/ssmdeck/ssmdeck/tui/widget"
)

// shown is how long the value of a SecureString stays on the screen.
const shown = 30 * time.Second

// away is the pause between two ticks that means that something else was on the
// screen: another page, or a shell.
const away = 3 * time.Second

// opened is what was decrypted: a value, and the versions where they were looked at.
type opened struct {
	value    string
	versions []parameter.Parameter
}

// secret is what was asked for of one SecureString. Nothing else holds a part of it:
// when its store is dropped, nothing of it is left, and what is under way goes nowhere.
type secret struct {
	key   string // of the row; empty: nothing is shown
	store *feed.Detail[opened]
	until time.Time // it is hidden again; zero: it has not come yet
	last  time.Time // tick
}

// conceal hides what a store holds.
type conceal struct{ store *feed.Detail[opened] }

func (s *secret) open() bool { return s.key != "" }

// take takes what was decrypted, if it is still wanted; from then on the time runs.
func (s *secret) take(g feed.Got[opened], now time.Time) {
	if s.store == nil || !s.store.Take(g) {
		return
	}
	s.until, s.last = now.Add(shown), now
}

// read is what has come.
func (s *secret) read() (v opened, known bool, err error) {
	if s.store == nil {
		return opened{}, false, nil
	}
	v, at, err, _ := s.store.Get(s.key)
	return v, !at.IsZero(), err
}

// tick hides what was shown long enough, or was out of sight.
func (s *secret) tick(now time.Time) {
	if !s.last.IsZero() && now.Sub(s.last) > away {
		s.drop()
	}
	s.expire(now)
	if s.open() {
		s.last = now
	}
}

func (s *secret) expire(now time.Time) {
	if !s.until.IsZero() && !now.Before(s.until) {
		s.drop()
	}
}

// drop forgets everything, and cancels what is under way.
func (s *secret) drop() {
	if s.store != nil {
		s.store.Leave()
	}
	*s = secret{}
}

// Conceal hides what v has shown.
func (p *Page) Conceal() { p.hide() }

// hide drops the secret and what was made out of it.
func (p *Page) hide() {
	if !p.secret.open() {
		return
	}
	p.secret.drop()
	p.text, p.diff = widget.NewText(), widget.NewText() // what was drawn goes, too
	p.pickHistory()
}

// reveal shows the value of the SecureString under the cursor, or hides it again.
func (p *Page) reveal() tea.Cmd {
	r, ok := p.current()
	if !ok || r.param == nil {
		return nil
	}
	if p.secret.open() {
		p.hide()
		return nil
	}
	name, all := r.param.Name, p.pane == onVersions
	p.secret = secret{key: r.key, store: feed.NewDetail[opened](p.desk, 1), last: p.deck.Now}
	return p.secret.store.Want(r.key, 0, func(ctx context.Context) (opened, error) {
		if all {
			versions, err := p.svc.History(ctx, r.at, name, true)
			if err != nil || len(versions) == 0 {
				return opened{}, err
			}
			return opened{value: versions[0].Value, versions: versions}, nil
		}
		v, err := p.svc.Value(ctx, r.at, name, true)
		return opened{value: v.Value}, err
	})
}
