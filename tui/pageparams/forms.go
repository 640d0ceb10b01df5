package pageparams

import (
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/grid"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/paramplan"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// of are choices that a person types the beginning of.
func of(words ...string) func(string) []string {
	return func(typed string) (out []string) {
		for _, w := range words {
			if strings.HasPrefix(strings.ToLower(w), strings.ToLower(typed)) {
				out = append(out, w)
			}
		}
		return out
	}
}

// known are names and paths that continue what is typed.
func (p *Page) known(typed string) (out []string) {
	const most = 20
	for _, r := range p.rows {
		if strings.HasPrefix(r.path, typed) {
			if out = append(out, r.path); len(out) == most {
				break
			}
		}
	}
	return out
}

func needed(value string) error {
	if value == "" {
		return fault.Usagef("it is needed")
	}
	return nil
}

// home is the place of the row under the cursor, or the first.
func (p *Page) home() grid.Place {
	if r, ok := p.current(); ok {
		return r.at
	}
	if len(p.desk.Cells) > 0 {
		return p.desk.Cells[0].Place
	}
	return grid.Place{}
}

// folderOf is the path in which a new parameter is made.
func (p *Page) folderOf() string {
	r, ok := p.current()
	switch {
	case !ok:
		return "/"
	case r.below > 0 && r.path != "/":
		return r.path + "/"
	}
	return r.path[:strings.LastIndexByte(r.path, '/')+1]
}

// create asks for a name and what describes it, then for the value: hidden when it is
// a secret.
func (p *Page) create() tea.Cmd {
	at := p.home()
	return deck.Ask(deck.Form{
		Title: "New parameter",
		Fields: []deck.Field{
			{Name: "name", Label: "Name", Value: p.folderOf(), Help: "/app/prod/db-url", Check: p.newName},
			{Name: "type", Label: "Type", Value: parameter.String, Choices: of(parameter.Types...), Only: true},
			{Name: "description", Label: "Description"},
			{Name: "tier", Label: "Tier", Help: "as the account is set: standard", Check: tier},
			{Name: "key", Label: "KMS key", Help: "of a SecureString: alias/app; the account's own"},
			{Name: "expires", Label: "Expires", Help: "never; 90d from now, 2030-01-31 (advanced tier)"},
		},
		Done: func(v map[string]string) tea.Cmd { return p.askValue(at, v) },
	})
}

func (p *Page) newName(name string) error {
	if err := parameter.CheckName(name); err != nil {
		return err
	}
	for _, r := range p.rows {
		if r.path == name && r.at == p.home() {
			return fault.Usagef("there is a parameter %s already", name).WithHint("e edits it")
		}
	}
	return nil
}

func tier(word string) error {
	if word == "" {
		return nil
	}
	_, err := paramplan.ParseTier(word)
	return err
}

func (p *Page) askValue(at grid.Place, v map[string]string) tea.Cmd {
	secret := v["type"] == parameter.SecureString
	field := deck.Field{Name: "value", Label: "Value", Secret: secret, Many: !secret, Check: needed}
	if v["type"] == parameter.StringList {
		field.Help, field.Many = "a,b,c", false
	}
	return deck.Ask(deck.Form{Title: "Value of " + render.Visible(v["name"]), Fields: []deck.Field{field}, Done: func(value map[string]string) tea.Cmd {
		words := deck.With(deck.Args([]string{"param", "set"}, v["name"], "-"), "--type", v["type"])
		for _, flag := range []string{"description", "tier", "key", "expires"} {
			if v[flag] != "" {
				words = deck.With(words, "--"+flag, v[flag])
			}
		}
		l := about(row{at: at, path: v["name"]}, deck.Change, "make", words...)
		l.Input = []byte(value["value"]) // never among the words
		return deck.Ask(l)
	}})
}

// addLabels asks for labels for the version under the cursor, or the latest.
func (p *Page) addLabels() tea.Cmd {
	r, _ := p.current()
	version := r.param.Version
	if i, ok := p.versions.Current(); ok && p.pane == onVersions {
		version = p.history[i].Version
	}
	target := r.path + ":" + strconv.FormatInt(version, 10)
	return deck.Ask(deck.Form{
		Title: "Label " + render.Visible(target),
		Fields: []deck.Field{{Name: "labels", Label: "Labels", Help: "live last-good", Check: func(text string) error {
			for _, l := range strings.Fields(text) {
				if err := parameter.CheckLabel(l); err != nil {
					return err
				}
			}
			return needed(strings.TrimSpace(text))
		}}},
		Done: func(v map[string]string) tea.Cmd {
			return deck.Ask(about(r, deck.Change, "label version "+strconv.FormatInt(version, 10)+" of", deck.Args([]string{"param", "label"}, append([]string{target}, strings.Fields(v["labels"])...)...)...))
		},
	})
}

// move copies or moves a parameter, or all below a folder.
func (p *Page) move(r row, command string) tea.Cmd {
	title := "Copy "
	if command == "move" {
		title = "Move "
	}
	return deck.Ask(deck.Form{
		Title: title + render.Visible(r.path),
		Fields: []deck.Field{
			{Name: "to", Label: "To", Value: r.path, Help: "/app/prod/name; eu-west-1:/app/prod/name", Check: func(to string) error {
				if to == r.path {
					return fault.Usagef("that is where it is")
				}
				return needed(to)
			}},
			{Name: "history", Label: "Versions", Value: "the latest", Choices: of("the latest", "all, with labels"), Only: true},
			{Name: "over", Label: "What is there", Value: "stays", Choices: of("stays", "is written over"), Only: true},
		},
		Done: func(v map[string]string) tea.Cmd {
			words := deck.Args([]string{"param", command}, r.path, v["to"])
			if r.param == nil {
				words = deck.With(words, "--recursive")
			}
			if v["history"] != "the latest" {
				words = deck.With(words, "--history")
			}
			if v["over"] == "is written over" {
				words = deck.With(words, "--overwrite")
			}
			level := deck.Change
			if command == "move" || v["over"] == "is written over" {
				level = deck.Disruptive
			}
			l := about(r, level, command, words...)
			l.Preview = deck.With(words, "--dry-run")
			return deck.Ask(l)
		},
	})
}

// secretWords say what an export does with SecureStrings.
var secretWords = []string{"left out", "decrypted into the file"}

// export asks for a file and writes what is below a path into it.
func (p *Page) export(r row) tea.Cmd {
	return deck.Ask(deck.Form{
		Title: "Export parameters",
		Fields: []deck.Field{
			{Name: "path", Label: "What", Value: p.where(r), Help: "a path, a name or a pattern", Check: needed, Choices: p.known},
			{Name: "file", Label: "File", Help: "prod.json, prod.env, prod.yaml", Check: needed},
			{Name: "format", Label: "Format", Help: "as the file's name says", Choices: of("json", "yaml", "dotenv", "shell", "csv", "tfvars", "k8s", "properties")},
			{Name: "secrets", Label: "SecureStrings", Value: secretWords[0], Choices: of(secretWords...), Only: true},
		},
		Done: func(v map[string]string) tea.Cmd {
			words := deck.With(deck.Args([]string{"param", "export"}, v["path"]), "--file", v["file"])
			if v["format"] != "" {
				words = deck.With(words, "--format", v["format"])
			}
			level := deck.Read
			if v["secrets"] == secretWords[1] {
				words, level = deck.With(words, "--decrypt"), deck.Change
			} else {
				words = deck.With(words, "--no-secrets")
			}
			return deck.Ask(deck.Line{Words: words, At: r.at, What: "export " + render.Visible(v["path"]), Level: level, How: deck.Quietly})
		},
	})
}

// search looks for a text. What is looked for may be a secret itself, so that it goes
// to standard input.
func (p *Page) search(r row) tea.Cmd {
	where := "/"
	if r.param == nil && r.path != "" {
		where = r.path
	}
	return deck.Ask(deck.Form{
		Title: "Search parameters",
		Fields: []deck.Field{
			{Name: "text", Label: "Text", Help: "db-old.internal", Check: needed},
			{Name: "path", Label: "Below", Value: where, Choices: p.known},
			{Name: "in", Label: "Look into", Value: "names and descriptions", Choices: of("names and descriptions", "values", "values and secrets"), Only: true},
		},
		Done: func(v map[string]string) tea.Cmd {
			words := []string{"param", "search", "-"}
			if v["path"] != "" {
				words = append(words, v["path"])
			}
			switch v["in"] {
			case "values":
				words = append(words, "--values")
			case "values and secrets":
				words = append(words, "--values", "--decrypt")
			}
			return deck.Ask(deck.Line{Words: words, At: r.at, What: "search " + render.Visible(v["path"]), Level: deck.Read, How: deck.InPane, Input: []byte(v["text"])})
		},
	})
}
