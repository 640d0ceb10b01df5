package runview

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
)

// outputDir is the folder of --out-dir: NAME_ID.stdout and NAME_ID.stderr of each
// node, and summary.json, which is written last. Output may hold secrets: all of it
// is for its owner alone.
type outputDir struct {
	root *os.Root
	path string
}

const summaryName = "summary.json"

// newOutputDir makes the folder, or takes one that is empty: files of several runs
// must not mix.
func newOutputDir(path string) (*outputDir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fault.New(fault.Usage, "make the folder for outputs", "%w", err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fault.New(fault.Usage, "open the folder for outputs", "%w", err)
	}
	entries, err := fs.ReadDir(root.FS(), ".")
	if err == nil && len(entries) > 0 {
		err = fault.Usagef("--out-dir %s is not empty", path).WithHint("name a new folder")
	}
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	return &outputDir{root: root, path: path}, nil
}

// write makes a file at once or not at all.
func (d *outputDir) write(name string, fill func(io.Writer) error) (err error) {
	part := name + ".part"
	f, err := d.root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = d.root.Remove(part)
		}
	}()
	err = errors.Join(fill(f), f.Close())
	if err != nil {
		return err
	}
	return d.root.Rename(part, name)
}

// fileLabel is the beginning of the names of a node's files: safe on every system,
// and of one node only, for ids are.
func fileLabel(name, id string) string {
	const most = 80
	safe := func(s string) string {
		s = strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r) {
				return r
			}
			return '_'
		}, s)
		return strings.TrimLeft(s[:min(len(s), most)], ".")
	}
	if name = safe(name); name == "" {
		return safe(id)
	}
	return name + "_" + safe(id)
}

// savedRun is summary.json.
type savedRun struct {
	runAnswer
	Nodes []savedNode `json:"nodes"`
}

type savedNode struct {
	row
	Stdout     *string `json:"stdout,omitempty"` // hide the texts of row
	Stderr     *string `json:"stderr,omitempty"`
	StdoutFile string  `json:"stdout_file,omitempty"`
	StderrFile string  `json:"stderr_file,omitempty"`
}

// Save writes the outputs of all nodes that have ended. What the board has only in
// part is fetched, however long it is; an error of that ends nothing, and is told.
func (v *View) Save(ctx context.Context, svc *run.Service) error {
	defer v.Dir.root.Close()
	saved := savedRun{runAnswer: v.answer(), Nodes: []savedNode{}}
	saved.runAnswer.Nodes = nil
	taken := map[string]int{}
	missing := 0
	for r := range v.Board.Rows() {
		node := savedNode{row: rowOf(r)}
		label := fileLabel(r.NodeName, r.NodeID)
		if taken[label]++; taken[label] > 1 { // a node of two commands
			label = fmt.Sprintf("%s.%d", label, taken[label])
		}
		if r.HasOutput {
			if err := v.saveNode(ctx, svc, r, label, &node); err != nil {
				return fault.New(fault.Failed, "write "+v.Dir.path, "%w", err)
			}
			if node.Truncated || node.Preview {
				missing++
			}
		}
		node.row.Stdout, node.row.Stderr = "", ""
		saved.Nodes = append(saved.Nodes, node)
	}
	err := v.Dir.write(summaryName, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(saved)
	})
	if err != nil {
		return fault.New(fault.Failed, "write "+v.Dir.path, "%w", err)
	}
	text := fmt.Sprintf("outputs of %s are in %s", cli.Plural(len(saved.Nodes), "node"), render.Visible(v.Dir.path))
	if missing > 0 {
		text += fmt.Sprintf("; those of %s are not whole, as %s says", cli.Plural(missing, "node"), summaryName)
	}
	v.Env.Note("ssmdeck: %s", text)
	return nil
}

// saveNode writes the files of one node.
func (v *View) saveNode(ctx context.Context, svc *run.Service, r run.Row, label string, node *savedNode) error {
	out, errs := label+".stdout", label+".stderr"
	if (r.Truncated || r.Preview) && ctx.Err() == nil {
		c, ok := v.kept[r.CommandID]
		if !ok {
			c = v.Keep
			c.ID = r.CommandID
		}
		var sum run.Output
		wrote := 0
		err := v.Dir.write(out, func(stdout io.Writer) error {
			return v.Dir.write(errs, func(stderr io.Writer) (err error) {
				counted := &counter{w: stderr}
				sum, err = svc.Copy(ctx, c, r.Invocation, stdout, counted)
				wrote = counted.n
				return err
			})
		})
		if err == nil {
			node.Truncated, node.Preview, node.More = sum.Truncated, false, sum.More
			node.StdoutFile = out
			if wrote == 0 {
				return v.Dir.root.Remove(errs)
			}
			node.StderrFile = errs
			return nil
		}
		var path *fs.PathError
		if errors.As(err, &path) {
			return err // our own disk
		}
		node.More = err.Error()
	}
	for _, f := range []struct {
		name, text string
		to         *string
	}{{out, r.Stdout, &node.StdoutFile}, {errs, r.Stderr, &node.StderrFile}} {
		if f.text == "" && f.name == errs {
			continue
		}
		if err := v.Dir.write(f.name, func(w io.Writer) error { _, err := io.WriteString(w, f.text); return err }); err != nil {
			return err
		}
		*f.to = f.name
	}
	return nil
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n int
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += n
	return n, err
}
