package deck

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// Running are the words of a line as they run: what changes something has been
// agreed to by then, so that the command need not ask again.
func Running(l Line) []string {
	at := slices.Index(l.Words, "--") // what is behind is the remote command's
	if at < 0 {
		at = len(l.Words)
	}
	if l.Program || l.Level < Change || slices.Contains(l.Words[:at], "--yes") {
		return l.Words
	}
	return behind(l.Words, "--yes")
}

// Args are words with arguments behind them that somebody else may have named. One that
// begins with a hyphen would be a flag: --dry-run is a legal name of a parameter, and
// --endpoint-url=… can be that of a patch.
func Args(words []string, args ...string) []string {
	if slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "-") && a != "-" }) {
		return slices.Concat(words, []string{"--"}, args)
	}
	return slices.Concat(words, args)
}

// With are words with flags: at the end, or in front of the "--" of Args.
func With(words []string, flags ...string) []string { return behind(words, flags...) }

// Nameless reports whether a line is about something without a name: a word of it is
// empty, and is no value that somebody chose to leave empty. What a command makes of
// that is never what was meant.
func (l Line) Nameless() bool {
	if l.Program {
		return false
	}
	for i, w := range l.Words {
		switch {
		case w == "--":
			return false // the remote command's
		case w != "":
		case i == 0, !strings.HasPrefix(l.Words[i-1], "--"):
			return true
		}
	}
	return false
}

// behind puts words at the end of a command line, in front of the "--" from which on
// words are the remote command's.
func behind(words []string, more ...string) []string {
	at := slices.Index(words, "--")
	if len(words) > 0 && words[0] == "ssh" {
		at = 1 // what follows the node is for ssh
	}
	if at < 0 {
		at = len(words)
	}
	return slices.Concat(words[:at], more, words[at:])
}

// Shown is what of a line stands in its box and in the log: as a shell takes it.
func (d *Deck) Shown(l Line) string {
	if l.Program {
		return quoted(l.Words)
	}
	return d.OneLiner(Running(l), l.At)
}

// OneLiner is a command line as a shell takes it, from anywhere. Without a place it is
// about all that the dashboard asks.
func (d *Deck) OneLiner(words []string, at grid.Place) string {
	if d.Flags != nil {
		words = behind(words, d.Flags(at)...)
	}
	return "ssmdeck " + quoted(words)
}

func quoted(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = render.ShellWord(w)
	}
	return strings.Join(out, " ")
}

// PlaceName says where a line runs.
func (d *Deck) PlaceName(at grid.Place) string {
	w := d.Where
	account, region := cmp.Or(at.Account, w.Account), cmp.Or(at.Region, w.Region)
	name := at.Profile
	if account == w.Account {
		name = cmp.Or(w.Context, w.Alias)
	}
	if name != "" && account != "" {
		account = name + " @ " + account
	} else {
		account = cmp.Or(account, name)
	}
	return render.Visible(strings.TrimSpace(account + "  " + region))
}

// Strictness is how a line is asked for: one level more in a protected account.
func (d *Deck) Strictness(l Line) Level {
	if l.Level > Read && l.Level < Destructive && d.Where.Protected {
		return l.Level + 1
	}
	return l.Level
}

// MustType is what has to be typed for a destructive line, as it is seen: what cannot
// be typed as it is, is typed as it is shown. It is never empty.
func (d *Deck) MustType(l Line) string {
	w := d.Where
	for _, text := range []string{l.Type, w.Context, w.Alias, w.Account} {
		if text = strings.TrimSpace(render.Visible(text)); text != "" {
			return text
		}
	}
	return "yes"
}

// Refused is why something is not done in a dashboard that may change nothing.
func Refused(what string) error {
	return fault.New(fault.Refused, "", "%s would change something, and this dashboard is read-only", what).
		WithHint("start it without --read-only, in a context that is not read_only")
}
