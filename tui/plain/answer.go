package plain

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/terminal"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// answer does what pages have asked for, until they ask for nothing more.
func (s *screen) answer() error {
	for len(s.asked) > 0 && !s.left {
		msg := s.asked[0]
		s.asked = s.asked[1:]
		var err error
		switch msg := msg.(type) {
		case deck.Open:
			err = s.opened(msg)
		case deck.Line:
			err = s.line(msg)
		case deck.Form:
			err = s.form(msg)
		case deck.Choose:
			err = s.chooseOne(msg)
		case deck.Show:
			err = s.show(msg)
		case deck.Say:
			if msg.Err != nil {
				s.fail(msg.Err)
			} else {
				s.say("%s", msg.Text)
			}
		case deck.Copy:
			s.say("To copy, %s:", msg.What)
			s.lines(msg.Text)
		case deck.Browse:
			s.browse(msg.URL)
		case deck.Refresh:
			if len(msg.Feeds) > 0 { // a page has them read; nobody has asked to hear of it
				s.start(s.o.Desk.Force(msg.Feeds...), false)
			} else {
				err = s.refresh()
			}
		case deck.Columns:
			s.say("In plain text there are no columns to choose: an item is read as a sentence.")
		}
		if err != nil {
			return err
		}
		if len(s.asked) == 0 {
			if err := s.settle(detailPatience); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *screen) opened(o deck.Open) error {
	at := s.page
	for i, p := range s.o.Pages {
		if p.ID() == o.Page {
			at = i
		}
	}
	p := s.o.Pages[at]
	if o.Filter != "" || o.Clear {
		if err := p.SetFilter(o.Filter); err != nil {
			s.fail(err)
		}
	}
	if o.Then == nil {
		return s.open(at)
	}
	s.start(p.Update(o.Then), true)
	s.turn(at)
	if err := s.load(); err != nil {
		return err
	}
	s.plain = p.Plain()
	about := s.about()
	n := slices.IndexFunc(s.plain.Items, func(it deck.Item) bool { return it.Key != "" && it.Key == about })
	if n < 0 {
		s.list()
		return nil
	}
	s.heading()
	return s.item(n + 1) // it was asked for, and not the list
}

func (s *screen) browse(url string) {
	if s.o.Browse != nil {
		if err := s.o.Browse(s.ctx, url); err == nil {
			s.say("Opened in the browser: %s", url)
			return
		}
	}
	s.say("Address: %s", url)
}

// screenful is how many lines of a long text are printed at a time.
const screenful = 40

// show prints a text, a part at a time.
func (s *screen) show(m deck.Show) error {
	s.say("")
	s.say("%s", m.Title)
	all := strings.Split(strings.TrimRight(m.Text, "\n"), "\n")
	for from := 0; from < len(all); from += screenful {
		to := min(from+screenful, len(all))
		s.lines(strings.Join(all[from:to], "\n"))
		if to == len(all) {
			return nil
		}
		more, err := s.ask(fmt.Sprintf("Lines %d to %d of %d. Enter for more, s to stop: ", from+1, to, len(all)))
		if err != nil {
			return err
		}
		if strings.HasPrefix(strings.TrimSpace(more), "s") {
			return nil
		}
	}
	return nil
}

// chooseOne asks for one of several.
func (s *screen) chooseOne(c deck.Choose) error {
	s.say("%s", c.Title)
	for i, e := range c.Entries {
		s.say("%d. %s", i+1, sentence(e.Name, e.Detail, e.Off))
	}
	for {
		line, err := s.ask("Number, or Enter for none: ")
		if err != nil {
			return err
		}
		if line = strings.TrimSpace(line); line == "" {
			return nil
		}
		n, err := strconv.Atoi(line)
		switch {
		case err != nil || n < 1 || n > len(c.Entries):
			s.say("%q is none of the numbers from 1 to %d.", line, len(c.Entries))
		case c.Entries[n-1].Off != "":
			s.say("Not now: %s.", c.Entries[n-1].Off)
		default:
			s.start(c.Done(n-1), true)
			return s.settle(detailPatience)
		}
	}
}

// form asks for the values of a form, field by field.
func (s *screen) form(f deck.Form) error {
	s.say("%s. A single dot leaves it, and nothing happens; Enter takes what stands there.", f.Title)
	values := map[string]string{}
	for _, field := range f.Fields {
		value, leave, err := s.field(field)
		if err != nil {
			return err
		}
		if leave {
			s.say("Left: nothing happens.")
			return nil
		}
		values[field.Name] = value
	}
	if f.Check != nil {
		if err := f.Check(values); err != nil {
			s.fail(err)
			return nil
		}
	}
	s.start(f.Done(values), true)
	return s.settle(detailPatience)
}

// choicesShown is how many choices of a field are named.
const choicesShown = 10

// field asks for one value until it is right.
func (s *screen) field(f deck.Field) (value string, leave bool, err error) {
	prompt := f.Label
	if f.Help != "" {
		prompt += " (" + f.Help + ")"
	}
	if f.Value != "" && !f.Secret {
		prompt += " [" + strings.ReplaceAll(f.Value, "\n", " ") + "]"
	}
	if f.Choices != nil {
		if some := f.Choices(""); len(some) > 0 && len(some) <= choicesShown {
			s.say("%s is one of: %s", f.Label, strings.Join(some, ", "))
		}
	}
	for {
		value, err = s.typedInto(f, prompt+": ")
		switch {
		case err != nil:
			return "", false, err
		case value == ".":
			return "", true, nil
		case value == "":
			value = f.Value
		}
		if err := s.checked(f, &value); err != nil {
			s.fail(err)
			continue
		}
		return value, false, nil
	}
}

// typedInto reads a value: a line, several up to a dot, or one that is not shown.
func (s *screen) typedInto(f deck.Field, prompt string) (string, error) {
	switch {
	case f.Secret && s.o.Secret != nil && s.in.Buffered() == 0:
		return s.secret(prompt)
	case !f.Many:
		return s.ask(prompt)
	}
	s.say("%s: several lines; an empty line ends them.", f.Label)
	var lines []string
	for {
		line, err := s.ask(prompt)
		switch {
		case err != nil:
			return "", err
		case line == "." && len(lines) == 0:
			return ".", nil
		case line == "":
			return strings.Join(lines, "\n"), nil
		}
		lines, prompt = append(lines, line), ""
	}
}

// secret reads a line of which nothing is shown.
func (s *screen) secret(prompt string) (string, error) {
	if s.reading { // a line is, and it would be seen
		if _, err := s.ask("Press Enter to go on: "); err != nil {
			return "", err
		}
	}
	for {
		value, err := s.o.Secret(s.ctx, prompt)
		switch {
		case errors.Is(err, terminal.ErrInterrupted), errors.Is(err, io.EOF):
			return "", errDropped
		case errors.Is(err, terminal.ErrSeveralLines), errors.Is(err, terminal.ErrControl):
			s.fail(fault.Usagef("%w: nothing was taken", err))
		default:
			return value, err
		}
	}
}

// checked says what is wrong with a value. Of choices, the only one that fits is
// taken for what was typed.
func (s *screen) checked(f deck.Field, value *string) error {
	if f.Choices != nil && f.Only {
		fits := f.Choices(*value)
		exact := false
		for _, c := range fits {
			exact = exact || c == *value
		}
		switch {
		case exact:
		case len(fits) == 1:
			*value = fits[0]
			s.say("%s: %s", f.Label, *value)
		case len(fits) == 0:
			return fault.Usagef("%q is none of the choices", *value)
		default:
			return fault.Usagef("%q fits %d choices", *value, len(fits)).WithHint("write one of: %s", strings.Join(fits[:min(len(fits), choicesShown)], ", "))
		}
	}
	if f.Check != nil {
		return f.Check(*value)
	}
	return nil
}
