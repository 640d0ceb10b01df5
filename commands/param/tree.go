package param

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/render"
)

// paramTree is what `param tree` was asked for.
type paramTree struct {
	flags  valueFlags
	values bool
	depth  int
	folded bool // nobody said how deep: what is too long for a screen is folded
}

func newTreeCmd(env *cli.Env) *cobra.Command {
	var o paramTree
	cmd := &cobra.Command{
		Use:   "tree [path | pattern]",
		Short: "Draw the hierarchy of parameters",
		Long: `Draw the hierarchy of parameters below a path, with how many are in each folder. What
is too long for a screen is folded on a terminal; --depth 0 shows everything.

-o json prints folders in folders; -o csv and -o name print a list.`,
		Example: `  $ ssmdeck param tree /app
  $ ssmdeck param tree --depth 2
  $ ssmdeck param tree /app/prod --values`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeParamPath(env, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.folded = !cmd.Flags().Changed("depth")
			return o.run(cmd.Context(), env, strings.Join(args, ""))
		},
	}
	o.flags.bind(cmd)
	f := cmd.Flags()
	f.IntVar(&o.depth, "depth", 0, "so many `levels` below the path; 0 is all")
	f.BoolVar(&o.values, "values", false, "show the values, too")
	return cmd
}

func (o *paramTree) run(ctx context.Context, env *cli.Env, where string) error {
	ro, err := env.RenderOptions()
	if err != nil {
		return err
	}
	sel, err := parameter.Select(where)
	var faults faultList
	faults.add(err)
	faults.add(o.flags.check(o.values))
	faults.add(paramTable(o.values)(ro).Check(ro))
	if o.depth < 0 {
		faults = append(faults, fault.Usagef("--depth %d is no number of levels", o.depth))
	}
	if err := cli.AllFaults("param tree", faults); err != nil {
		return err
	}
	svc, err := openParameters(ctx, env)
	if err != nil {
		return err
	}
	list, secrets, partial := o.read(ctx, env, svc, sel)
	if len(list) == 0 && partial != nil {
		return partial
	}
	defer secrets.say(env, &o.flags)
	root := sel.Path
	if root == "" {
		root = "/"
	}
	return errors.Join(o.write(env, ro, root, list), partial)
}

func (o *paramTree) write(env *cli.Env, ro render.Options, root string, list []parameter.Parameter) error {
	if len(list) == 0 && root != "/" {
		return fault.New(fault.NotFound, "", "there is no parameter below %s", root).WithHint("see what there is with `ssmdeck param tree --depth 2`")
	}
	if ro.Query == "" && len(ro.Columns) == 0 {
		switch ro.Format {
		case render.FormatAuto, render.FormatTable, render.FormatWide, render.FormatText:
			return o.draw(env, ro, parameter.Tree(root, list))
		}
	}
	switch {
	case len(ro.Columns) > 0, ro.Query == "" && (ro.Format == render.FormatCSV || ro.Format == render.FormatName):
		if o.depth > 0 {
			list = slices.DeleteFunc(list, func(p parameter.Parameter) bool {
				return p.Name != root && strings.Count(strings.TrimPrefix(p.Name, strings.TrimSuffix(root, "/")+"/"), "/") >= o.depth
			})
		}
		return cli.WriteList(env, paramTable(o.values), ro, list)
	}
	top := parameter.Tree(root, list)
	top.Prune(o.depth)
	return render.Object(env.Out, ro, top, func(*render.Detail) {})
}

// read finds the parameters, the one that has the name of the path among them. With an
// error the list is not all.
func (o *paramTree) read(ctx context.Context, env *cli.Env, svc *parameter.Service, sel parameter.Selection) (list []parameter.Parameter, secrets *secretCount, err error) {
	find := func(sel parameter.Selection) ([]parameter.Parameter, error) {
		return findParams(ctx, env, svc, sel, o.values, o.flags.reads())
	}
	list, err = find(sel)
	if err == nil && sel.All() && !o.values {
		rememberParams(env, env.Opened(), list)
	}
	if own, bad := parameter.Select(sel.Path); err == nil && bad == nil && sel.Path != "" && sel.Pattern == nil && len(list) > 0 && list[0].Name != sel.Path {
		own.Names, own.Path = []string{sel.Path}, ""
		var itself []parameter.Parameter
		itself, err = find(own)
		list = append(itself, list...)
	}
	secrets = &secretCount{}
	for i, p := range list {
		if o.values {
			secrets.see(p, o.flags.masks(env))
		}
		list[i] = o.flags.hidden(env, p)
	}
	return list, secrets, err
}

// What is more than a screen or two is folded: first in depth, then folders of many
// parameters.
const (
	treeLines  = 200
	treeLeaves = 50 // of one folder; of more, the first treeShown are shown
	treeShown  = 20
)

// draw writes the tree for people, a line for each part of the hierarchy.
func (o *paramTree) draw(env *cli.Env, ro render.Options, top *parameter.Branch) error {
	out := bufio.NewWriter(env.Out)
	d := treeDrawing{out: out, o: ro, values: o.values, depth: o.depth}
	if d.leaves = 1 << 30; o.folded && ro.Terminal() && top.Lines(0) > treeLines {
		d.leaves = treeLeaves
		for d.depth = top.Depth(); d.depth > 1 && d.lines(top, d.depth) > treeLines; d.depth-- {
		}
		env.Note("ssmdeck: note: folded, for it is long: --depth 0 shows everything")
	}
	if top.Below == 0 && top.Parameter == nil {
		env.Note("no parameters")
		return nil
	}
	d.line("", "", top, top.Path)
	d.children("", top, 1)
	return out.Flush()
}

type treeDrawing struct {
	out    io.Writer
	o      render.Options
	values bool
	depth  int
	leaves int // more children than these are cut
}

// lines is how many lines there will be at a depth.
func (d *treeDrawing) lines(b *parameter.Branch, depth int) (n int) {
	children, more := d.shown(b)
	if more > 0 {
		n++
	}
	for _, c := range children {
		if n++; depth > 1 {
			n += d.lines(c, depth-1)
		}
	}
	return n
}

// shown are the children that have a line, and how many have none.
func (d *treeDrawing) shown(b *parameter.Branch) (children []*parameter.Branch, more int) {
	if len(b.Children) <= d.leaves {
		return b.Children, 0
	}
	return b.Children[:treeShown], len(b.Children) - treeShown
}

func (d *treeDrawing) children(indent string, b *parameter.Branch, level int) {
	g := d.o.Styles.Glyphs
	children, more := d.shown(b)
	for i, c := range children {
		tee, next := g.Tee+g.Rule+g.Rule+" ", g.Pipe+"   "
		if i == len(children)-1 && more == 0 {
			tee, next = g.Corner+g.Rule+g.Rule+" ", "    "
		}
		d.line(indent, tee, c, c.Name)
		if d.depth == 0 || level < d.depth {
			d.children(indent+next, c, level+1)
		}
	}
	if more > 0 {
		d.write(dim(d.o, indent+g.Corner+g.Rule+g.Rule+" "+g.Ellipsis+" and "+cli.Plural(more, "other")))
	}
}

// line is one part: folders end in a slash and say how many parameters are in them.
func (d *treeDrawing) line(indent, tee string, b *parameter.Branch, name string) {
	text := dim(d.o, indent+tee)
	if b.Below > 0 || len(b.Children) > 0 {
		text += d.o.Styles.Title.Render(render.Visible(strings.TrimSuffix(name, "/")+"/")) + " " + dim(d.o, "("+strconv.Itoa(b.Below)+")")
	} else {
		text += render.Visible(name)
	}
	if b.Parameter != nil {
		text += "  " + d.facts(*b.Parameter)
	}
	d.write(text)
}

// facts are what is said of a parameter behind its name.
func (d *treeDrawing) facts(p parameter.Parameter) string {
	sep := " " + d.o.Styles.Glyphs.Sep + " "
	words := []string{p.Type}
	if d.o.Format == render.FormatWide {
		words = append(words, fmt.Sprintf("version %d", p.Version), p.Tier, render.Ago(d.o.Now, p.Modified))
	}
	text := dim(d.o, render.Visible(strings.Join(words, sep)))
	if !d.values {
		return text
	}
	value := render.Visible(p.Value)
	if p.Value == "" {
		value = maskedValue
	}
	return text + "  " + value
}

func (d *treeDrawing) write(text string) {
	if d.o.Terminal() {
		text = render.CutEnd(text, d.o.Width, d.o.Styles.Glyphs.Ellipsis)
	}
	fmt.Fprintln(d.out, text)
}
