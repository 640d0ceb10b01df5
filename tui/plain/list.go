package plain

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// items are how many are printed at a time.
const items = 20

// list prints the page: where, how old, its summary, and the items from the first.
func (s *screen) list() {
	s.tick()
	if n, ok := s.nowhere(); ok {
		s.sayNowhere(n)
		return
	}
	s.from = 0
	s.plain = s.current().Plain()
	s.heading()
	for _, l := range s.plain.Summary {
		s.say("%s", l)
	}
	s.items()
}

// heading says which view it is, where, how old its data are and what is filtered.
func (s *screen) heading() {
	p := s.current()
	s.say("")
	title := p.Title()
	if crumbs := p.Status().Crumbs; len(crumbs) > 0 {
		title += ", " + strings.Join(crumbs, ", ")
	}
	s.say("%s. %s.", title, s.where())
	s.state()
	if f := p.Filter(); f != "" {
		s.say("Filter: %s", f)
	}
}

// items prints those from s.from on.
func (s *screen) items() {
	all := s.plain.Items
	s.from = max(min(s.from, len(all)-1), 0)
	to := min(s.from+items, len(all))
	for i := s.from; i < to; i++ {
		s.say("%d. %s", i+1, all[i].Text)
	}
	st := s.current().Status()
	marked := ""
	if st.Marked > 0 {
		marked = fmt.Sprintf(" %d marked.", st.Marked)
		if st.Hidden > 0 {
			marked = fmt.Sprintf(" %d marked, %d of them not listed.", st.Marked, st.Hidden)
		}
	}
	switch {
	case len(all) == 0 && s.current().Filter() != "":
		s.say("Nothing fits the filter.%s", marked)
	case len(all) == 0:
		s.say("There is nothing here.%s", marked)
	case to < len(all):
		s.say("Items %d to %d of %d.%s n for more.", s.from+1, to, len(all), marked)
	default:
		s.say("Items %d to %d of %d.%s", s.from+1, to, len(all), marked)
	}
}

const help = `NUMBER    what is known of an item, and what can be done with it
v         the views; v NAME goes to one
/ TERMS   only items for which all terms hold; / alone shows all
: TEXT    go to or do anything by its name: : web-1, : fleet ping=lost @eu-west-1,
          : run AWS-RunShellScript, : context NAME; : alone lists what there is
n, p      the next items, those before
l         the list again
r         read everything anew
a         what can be done here
m NUMBERS mark items, or take the mark away: m 1,3-5
k KEY     press a key as in the dashboard that is drawn: k > and k < order by
          another column, k I turns the order round, k * marks all
@         what has been run from here, and how many API calls were made
b         one step back
h         this help
q         leave
Ctrl-C stops a command that runs, and leaves a question; elsewhere it leaves.`

// command answers a line.
func (s *screen) command(line string) error {
	word, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	if after, ok := strings.CutPrefix(line, "/"); ok {
		return s.filter(strings.TrimSpace(after))
	}
	if after, ok := strings.CutPrefix(line, ":"); ok {
		return s.palette(strings.TrimSpace(after))
	}
	if n, err := strconv.Atoi(word); err == nil {
		return s.item(n)
	}
	switch word {
	case "":
	case "q":
		s.left = true
	case "h", "?":
		s.help()
	case "v":
		return s.view(rest)
	case "n":
		if s.from+items >= len(s.plain.Items) {
			s.say("There are no more.")
			return nil
		}
		s.from += items
		s.items()
	case "p":
		s.from = max(s.from-items, 0)
		s.items()
	case "l":
		if err := s.load(); err != nil {
			return err
		}
		s.list()
	case "r":
		return s.refresh()
	case "a":
		if _, ok := s.nowhere(); ok {
			s.list()
			return nil
		}
		return s.act(s.actions(), 0)
	case "m":
		return s.mark(rest)
	case "k":
		return s.press(rest)
	case "@":
		s.log()
	case "b":
		return s.back()
	default:
		s.say("%q is nothing that can be done here. Type h for help.", word)
	}
	return nil
}

func (s *screen) help() {
	for l := range strings.SplitSeq(help, "\n") {
		s.say("%s", l)
	}
}

func (s *screen) filter(text string) error {
	if err := s.current().SetFilter(text); err != nil {
		s.fail(err)
		return nil
	}
	s.list()
	return nil
}

// refresh reads everything anew.
func (s *screen) refresh() error {
	if _, ok := s.nowhere(); ok {
		s.outcome.Again, s.left = true, true
		return nil
	}
	s.start(s.o.Desk.Force(), false)
	if err := s.load(); err != nil {
		return err
	}
	s.list()
	return nil
}

// view goes to another view, or says which there are.
func (s *screen) view(name string) error {
	if name == "" {
		for i, p := range s.o.Pages {
			here := ""
			if i == s.page {
				here = ", where you are"
			}
			s.say("%d. %s%s", i+1, p.Title(), here)
		}
		return nil
	}
	at, ids := -1, []string{}
	for i, p := range s.o.Pages {
		ids = append(ids, p.ID())
		if n, err := strconv.Atoi(name); at < 0 && (strings.HasPrefix(p.ID(), strings.ToLower(name)) || strings.EqualFold(p.Title(), name) || err == nil && n == i+1) {
			at = i
		}
	}
	if at < 0 {
		s.fail(fault.Usagef("there is no view %q", name).WithHint("the views are %s", strings.Join(ids, ", ")))
		return nil
	}
	return s.open(at)
}

// turn makes a view the one that is shown.
func (s *screen) turn(at int) {
	if at != s.page {
		s.history = append(s.history, s.page)
	}
	s.page = at
}

func (s *screen) open(at int) error {
	s.turn(at)
	if err := s.load(); err != nil {
		return err
	}
	s.list()
	return nil
}

// back goes back within the page, and then to the page before.
func (s *screen) back() error {
	if !s.current().Back() {
		if len(s.history) == 0 {
			s.say("There is nothing to go back to.")
			return nil
		}
		s.page = s.history[len(s.history)-1]
		s.history = s.history[:len(s.history)-1]
	}
	if err := s.load(); err != nil {
		return err
	}
	s.list()
	return nil
}

// choose puts the cursor of the page on an item and waits for what it loads.
func (s *screen) choose(n int) (ok bool, err error) {
	if len(s.plain.Items) == 0 {
		s.say("There is nothing to choose from.")
		return false, nil
	}
	if n < 1 || n > len(s.plain.Items) {
		s.say("There is no item %d: they go from 1 to %d.", n, len(s.plain.Items))
		return false, nil
	}
	if f := s.plain.Items[n-1].Choose; f != nil && !f() {
		s.gone(n)
		return false, nil
	}
	return true, nil
}

// gone says that an item is not what it was when it was listed, and lists anew.
func (s *screen) gone(n int) {
	s.say("Item %d is gone: the list has changed.", n)
	s.list()
}

// about is what actions are about now; empty: the page does not say.
func (s *screen) about() string {
	if p, ok := s.current().(deck.Subject); ok {
		return p.Subject()
	}
	return ""
}

// item says what is known of an item and what can be done.
func (s *screen) item(n int) error {
	if ok, err := s.choose(n); !ok {
		return err
	}
	if ok, err := s.describe(n); !ok {
		return err
	}
	return s.act(s.actions(), n)
}

// describe waits for what is known of an item and prints it; false: it has gone
// meanwhile, or has another number.
func (s *screen) describe(n int) (ok bool, err error) {
	about := s.about()
	s.start(s.current().Update(deck.Tick{}), true)
	if err := s.settle(detailPatience); err != nil {
		return false, err
	}
	s.tick()
	s.plain = s.current().Plain()
	if n > len(s.plain.Items) || s.plain.Items[n-1].Choose != nil && !s.plain.Items[n-1].Choose() || s.about() != about {
		s.gone(n)
		return false, nil
	}
	it := s.plain.Items[n-1]
	s.say("")
	s.say("%d. %s", n, it.Text)
	for _, l := range it.Detail {
		s.say("%s", l)
	}
	return true, nil
}

// actions are what can be done here, with the user's own behind.
func (s *screen) actions() []deck.Action {
	actions := s.current().Actions()
	if s.o.Own != nil {
		actions = slices.Concat(actions, s.o.Own.Actions(s.current()))
	}
	return actions
}

// act lists actions and runs the one that is chosen, about an item; 0: about the page.
func (s *screen) act(actions []deck.Action, item int) error {
	if len(actions) == 0 {
		return nil
	}
	s.say("What can be done:")
	for i, a := range actions {
		text := a.Help
		if text == "" {
			text = a.Name
		}
		if why := s.off(a); why != "" {
			text += ". Not now: " + why
		}
		name := a.Name
		if a.Key != "" {
			name += " (" + a.Key + ")"
		}
		s.say("%d. %s: %s", i+1, name, text)
	}
	about := s.about()
	for {
		line, err := s.ask("Number or key of what to do, or Enter for nothing: ")
		if err != nil {
			return err
		}
		line = strings.TrimSpace(line)
		if line == "" {
			return nil
		}
		n, err := strconv.Atoi(line)
		if err != nil {
			n = 1 + slices.IndexFunc(actions, func(a deck.Action) bool { return a.Key == line })
		}
		if n < 1 || n > len(actions) {
			s.say("%q is none of the numbers from 1 to %d, and no key.", line, len(actions))
			continue
		}
		if s.about() != about {
			s.say("Nothing is done: what it was about is gone.")
			s.list()
			return nil
		}
		return s.do(s.fresh(actions[n-1]), item)
	}
}

// fresh is an action as the page does it now: what was listed may have ended since.
func (s *screen) fresh(a deck.Action) deck.Action {
	for _, now := range s.actions() {
		if now.Key == a.Key && now.Name == a.Name && now.Own == a.Own {
			return now
		}
	}
	a.Off = "it cannot be done any more"
	return a
}

// off says why an action cannot be done; empty: it can.
func (s *screen) off(a deck.Action) string {
	if a.Writes && s.o.Deck.ReadOnly {
		return "this dashboard is read-only"
	}
	return a.Off
}

func (s *screen) do(a deck.Action, item int) error {
	if a.Writes && s.o.Deck.ReadOnly {
		s.fail(deck.Refused(a.Name))
		return nil
	}
	if a.Off != "" {
		s.say("Not now: %s.", a.Off)
		return nil
	}
	s.tick()
	s.start(a.Do(), true)
	if err := s.settle(detailPatience); err != nil || len(s.asked) > 0 || s.left {
		return err
	}
	return s.changed(item)
}

// changed shows what has become of the page, when an action has changed something in
// it: the item, when there is more to say of it now, else what is listed now.
func (s *screen) changed(item int) error {
	before := s.plain.Items
	if err := s.load(); err != nil {
		return err
	}
	now := s.current().Plain().Items
	if item > 0 && len(now) == len(before) && now[item-1].Text == before[item-1].Text && !slices.Equal(now[item-1].Detail, before[item-1].Detail) {
		_, err := s.describe(item)
		return err
	}
	s.list()
	return nil
}

// mark marks items, or takes their marks away, as the space key does.
func (s *screen) mark(text string) error {
	numbers, err := numbersOf(text, len(s.plain.Items))
	if err != nil {
		s.fail(err)
		return nil
	}
	for _, n := range numbers {
		if ok, err := s.choose(n); !ok {
			return err
		}
		s.start(s.current().Update(tea.KeyPressMsg{Code: tea.KeySpace, Text: " "}), true)
	}
	if err := s.settle(detailPatience); err != nil {
		return err
	}
	st := s.current().Status()
	s.say("%d marked.", st.Marked)
	return nil
}

// numbersOf reads "1,3-5", each from 1 to most.
func numbersOf(text string, most int) ([]int, error) {
	var out []int
	for part := range strings.SplitSeq(strings.ReplaceAll(text, " ", ","), ",") {
		if part == "" {
			continue
		}
		first, last, isRange := strings.Cut(part, "-")
		from, err := strconv.Atoi(first)
		to := from
		if isRange && err == nil {
			to, err = strconv.Atoi(last)
		}
		if err != nil || from < 1 || to > most || from > to {
			return nil, fault.Usagef("%q is no item: they go from 1 to %d", part, most).WithHint("write numbers like 1,3-5")
		}
		for n := from; n <= to; n++ {
			out = append(out, n)
		}
	}
	if out == nil {
		return nil, fault.Usagef("no item is named").WithHint("write numbers like m 1,3-5")
	}
	return out, nil
}

// lines prints a text line by line.
func (s *screen) lines(text string) {
	for l := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		fmt.Fprintln(s.out, readable(l))
	}
}
