package transfer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Source is what to copy from one node.
type Source struct {
	Node  Node
	Paths []string
}

// download is a copy from one node.
type download struct {
	s    *Service
	req  *Request
	node Node
	sink *sink
	add  func(int64)
	res  *Result

	files   []*incoming
	bundles []*arriving
	folders []placed
	links   []placed
}

// placed is an entry and the name it gets.
type placed struct {
	e      *entry
	name   string
	source string // for people
	word   string // the path on the node, as a word of its shell
}

// incoming is a file that is being copied.
type incoming struct {
	placed
	index  int // of its staged file
	left   int // ranges that are still to come
	ranges int
	sum    string // of the whole, as the node says
	got    string // as it arrived; "": not known yet
	err    error
	done   bool
}

// arriving is the small files of one folder, which come together.
type arriving struct {
	folder string // as a word
	size   int64
	files  map[string]*incoming
}

// download copies l, the content of paths of the node, into dir.
func (s *Service) download(ctx context.Context, node Node, req *Request, l *listing, dir string, roots []string, add func(int64), res *Result) (err error) {
	d := &download{s: s, req: req, node: node, add: add, res: res}
	name := ".ssmdeck-" + token(8)
	if req.Resume {
		name = ".ssmdeck-part-" + identity(node.ID+":"+dir, l.trees)
	}
	if d.sink, err = openSink(dir, name, req.Resume); err != nil {
		return err
	}
	defer func() { d.sink.close(req.Resume && err != nil) }()
	for _, f := range l.left {
		res.add(f)
	}
	d.plan(l, roots)
	if err := d.fetch(ctx, d.jobs(ctx)); err != nil {
		return err
	}
	// What did not come in a bundle, or changed meanwhile, says why when it comes
	// alone.
	var again []*job
	for _, b := range d.bundles {
		for _, f := range b.files {
			if !f.done {
				again = append(again, d.split(f, max(blockSize, f.e.size), nil)...)
			}
		}
	}
	if err := d.fetch(ctx, again); err != nil {
		return err
	}
	return d.place(ctx)
}

// plan sorts what is to come.
func (d *download) plan(l *listing, roots []string) {
	for i := range l.trees {
		t := &l.trees[i]
		var small *arriving
		if l.tar && t.folder {
			small = &arriving{folder: quotePath(t.source), files: map[string]*incoming{}}
		}
		for j := range t.entries {
			e := &t.entries[j]
			p := placed{e: e, name: under(roots[i], e.name), source: d.node.label() + ":" + path.Join(t.source, e.name), word: remoteWord(d.node, t.source, e.name)}
			switch e.kind {
			case kindFolder:
				d.folders = append(d.folders, p)
			case kindLink:
				d.links = append(d.links, p)
			default:
				f := &incoming{placed: p, index: len(d.files)}
				d.files = append(d.files, f)
				if small != nil && e.size <= smallFile {
					small.files[e.name] = f
					small.size += e.size
				}
			}
		}
		if small != nil && len(small.files) > 1 {
			d.bundles = append(d.bundles, small)
		}
	}
}

// remoteWord is the path of an entry as a word of the node's shell.
func remoteWord(node Node, source, name string) string {
	if node.Platform == "windows" {
		return windowsWord(source, name)
	}
	if name == "" {
		return quotePath(source)
	}
	return quotePath(strings.TrimRight(source, "/") + "/" + name)
}

func (d *download) bundled(f *incoming) bool {
	return slices.ContainsFunc(d.bundles, func(b *arriving) bool { return b.files[f.e.name] == f })
}

// job is a range of a file, or a bundle.
type job struct {
	f      *incoming
	off, n int64
	whole  bool // ask for the checksum of the file, too
	b      *arriving

	settled bool  // it came, or is known not to come
	counted int64 // bytes that progress was told of
}

func (j *job) size() int64 {
	if j.b != nil {
		return j.b.size
	}
	return j.n
}

// jobs cuts all files into ranges that several sessions can share.
func (d *download) jobs(ctx context.Context) []*job {
	var total int64
	for _, f := range d.files {
		total += f.e.size
	}
	lanes := int64(d.req.lanes(total))
	size := max(blockSize, (total/lanes+blockSize-1)/blockSize*blockSize)
	if d.node.Platform == "windows" {
		size = blockSize // it is held in memory there
	}
	have := d.kept(ctx)
	var jobs []*job
	for _, f := range d.files {
		if !d.bundled(f) {
			jobs = append(jobs, d.split(f, size, have[f])...)
		}
	}
	for _, b := range d.bundles {
		jobs = append(jobs, &job{b: b})
	}
	return jobs
}

// split cuts a file into ranges of size bytes, leaving out blocks that are there.
func (d *download) split(f *incoming, size int64, have map[int64]bool) []*job {
	var jobs []*job
	for off := int64(0); off == 0 || off < f.e.size; off += blockSize {
		n := min(blockSize, f.e.size-off)
		if have[off] {
			d.add(n)
			continue
		}
		if last := len(jobs) - 1; last >= 0 && jobs[last].off+jobs[last].n == off && jobs[last].n+n <= size {
			jobs[last].n += n
			continue
		}
		jobs = append(jobs, &job{f: f, off: off, n: n})
	}
	f.left, f.ranges = len(jobs), len(jobs)
	if len(have) > 0 {
		f.ranges = 2 // the range is not the whole
	}
	switch {
	case len(jobs) == 0: // all is there already, and is still asked for
		jobs = append(jobs, &job{f: f, whole: true})
		f.left, f.ranges = 1, 2
	case f.ranges > 1:
		jobs[0].whole = true
	}
	return jobs
}

// kept compares the blocks of files that an earlier copy has brought with those
// of the node. Where that fails everything is copied again.
func (d *download) kept(ctx context.Context) map[*incoming]map[int64]bool {
	have := map[*incoming]map[int64]bool{}
	if !d.sink.again || d.node.Platform == "windows" {
		return have
	}
	var script strings.Builder
	script.WriteString(readerScript)
	for i, f := range d.files {
		info, err := d.sink.root.Stat(d.sink.staged(f.index))
		if err != nil || f.e.size <= smallFile || script.Len() > scriptBudget {
			continue
		}
		if info.Size() > f.e.size {
			_ = d.sink.root.Remove(d.sink.staged(f.index))
			continue
		}
		have[f] = map[int64]bool{}
		fmt.Fprintf(&script, "k %d %s %d %d\n", i, f.word, min(f.e.size, info.Size()), blockSize)
	}
	if len(have) == 0 {
		return have
	}
	err := d.s.read(ctx, d.node, script.String(), &feed{
		data: func([]byte) error { return nil },
		control: func(line string) error {
			var i, block int
			var sum string
			if n, _ := fmt.Sscanf(line, "k %d %d %s", &i, &block, &sum); n != 3 || i < 0 || i >= len(d.files) || have[d.files[i]] == nil {
				return nil
			}
			f, off := d.files[i], int64(block)*blockSize
			if n := min(blockSize, f.e.size-off); n > 0 && sumRange(d.sink.local(d.sink.staged(f.index)), off, n) == sum {
				have[f][off] = true
			}
			return nil
		},
	})
	if err != nil {
		return nil
	}
	return have
}

// place puts all that came whole under its name.
func (d *download) place(ctx context.Context) error {
	made := map[string]bool{}
	for _, p := range d.folders {
		if p.name == "" {
			continue
		}
		isNew, err := d.sink.folder(p.name)
		if err != nil {
			d.failed(p, err)
		}
		made[p.name] = isNew
	}
	for _, f := range d.files {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if f.err == nil && !f.done {
			f.err = errors.New("it did not arrive")
		}
		if f.err != nil {
			d.failed(f.placed, f.err)
			continue
		}
		skipped, err := d.sink.place(f.index, f.name, f.e, d.req.NoClobber)
		d.note(f.placed, f.got, skipped, err)
	}
	for _, p := range d.links {
		skipped, err := d.sink.link(p.name, p.e.link, d.req.NoClobber)
		if err != nil {
			d.failed(p, err)
		} else if skipped {
			d.note(p, "", true, nil)
		}
	}
	for _, p := range slices.Backward(d.folders) { // what is inside first
		if made[p.name] {
			if err := d.sink.finish(p.name, p.e); err != nil {
				d.failed(p, err)
			}
		}
	}
	return nil
}

func (d *download) note(p placed, sum string, skipped bool, err error) {
	f := File{Source: p.source, Destination: d.sink.local(p.name), Size: p.e.size, SHA256: sum, State: Copied}
	switch {
	case err != nil:
		f.State, f.Error, f.SHA256 = Failed, err.Error(), ""
	case skipped:
		f.State, f.Error, f.SHA256 = Skipped, "it exists", ""
	}
	d.res.add(f)
}

func (d *download) failed(p placed, err error) { d.note(p, "", false, err) }

// ended is called when a range of f is there.
func (d *download) ended(ctx context.Context, f *incoming) {
	if f.left--; f.left > 0 || f.err != nil {
		return
	}
	if f.ranges > 1 {
		got, err := sumFile(ctx, d.sink.local(d.sink.staged(f.index)), f.e.size)
		switch {
		case err != nil:
			f.err = err
			return
		case f.sum != "" && got != f.sum:
			f.err = errDiffers
			return
		}
		f.got = got
	}
	f.done = true
}

// errDiffers is a checksum of the node that is not ours. Which of the two it was
// cannot be told.
var errDiffers = errors.New("checksum: it changed while it was copied, or arrived damaged")

// Download copies from nodes to this machine and returns a result for each, in
// their order. With several nodes, or when req says so, the destination is a
// folder, made if need be, with one in it for each.
func (s *Service) Download(ctx context.Context, sources []Source, req Request, w Watch) ([]*Result, error) {
	req.Apart = req.Apart || len(sources) > 1
	nodes := make([]Node, len(sources))
	labels := map[string]int{}
	for i, src := range sources {
		nodes[i] = src.Node
		labels[folderName(src.Node)]++
	}
	if req.Apart && len(sources) > 0 {
		if err := os.Mkdir(req.Dest, 0o777); err != nil && !errors.Is(err, os.ErrExist) {
			return nil, localFault("make the folder "+req.Dest, err)
		}
	}
	index := map[string]int{}
	for i, n := range nodes {
		index[n.ID] = i
	}
	return s.each(ctx, nodes, &req, w, func(ctx context.Context, n Node, res *Result) error {
		l, err := s.list(ctx, n, sources[index[n.ID]].Paths, req.Recursive)
		if err != nil {
			return err
		}
		if err := distinct(l.trees); err != nil {
			return err
		}
		dest := req.Dest
		if req.Apart {
			name := folderName(n)
			if labels[name] > 1 {
				name = n.ID
			}
			if dest, err = subfolder(dest, name); err != nil {
				return err
			}
		}
		var size int64
		for i := range l.trees {
			size += l.trees[i].size()
		}
		w.Total(size)
		dir, roots, err := localTarget(dest, l.trees)
		if err != nil {
			return err
		}
		return s.download(ctx, n, &req, l, dir, roots, w.Add, res)
	}), nil
}

// folderName is the name of a node as that of a folder.
func folderName(n Node) string {
	name := strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, n.label())
	if !safeName(name) || strings.HasPrefix(name, ".") {
		return n.ID
	}
	return name
}

func subfolder(dir, name string) (string, error) {
	p := strings.TrimRight(dir, "/") + "/" + name
	if err := os.Mkdir(p, 0o777); err != nil && !errors.Is(err, os.ErrExist) {
		return "", localFault("make the folder "+p, err)
	}
	return p, nil
}

// Listed is a file, folder or link that would be copied.
type Listed struct {
	Source      string `json:"source"`
	Destination string `json:"destination"`
	Size        int64  `json:"size"`
	Kind        string `json:"kind"` // file, folder, link
}

var kindNames = map[kind]string{kindFile: "file", kindFolder: "folder", kindLink: "link"}

// Plan lists what a copy of trees from label (a node, or "") would bring to dest.
func Plan(label, dest string, trees []tree) []Listed {
	var out []Listed
	for i := range trees {
		for j := range trees[i].entries {
			e := &trees[i].entries[j]
			source := path.Join(trees[i].source, e.name)
			if label != "" {
				source = label + ":" + source
			}
			out = append(out, Listed{Source: source, Destination: path.Join(dest, under(trees[i].base, e.name)), Size: e.size, Kind: cmp.Or(kindNames[e.kind], "other")})
		}
	}
	return out
}

// PlanDownload lists what a download would copy.
func (s *Service) PlanDownload(ctx context.Context, sources []Source, req Request) ([]Listed, error) {
	var out []Listed
	for _, src := range sources {
		l, err := s.list(ctx, src.Node, src.Paths, req.Recursive)
		if err != nil {
			return nil, err
		}
		dest := req.Dest
		if req.Apart || len(sources) > 1 {
			dest += "/" + folderName(src.Node)
		}
		out = append(out, Plan(src.Node.label(), dest, l.trees)...)
	}
	return out, nil
}

// fetch runs jobs over as many sessions as they are worth.
func (d *download) fetch(ctx context.Context, jobs []*job) error {
	if len(jobs) == 0 {
		return nil
	}
	var total int64
	for _, j := range jobs {
		total += j.size()
	}
	lanes := make([][]*job, max(1, min(d.req.lanes(total), len(jobs))))
	load := make([]int64, len(lanes))
	slices.SortStableFunc(jobs, func(a, b *job) int { return cmp.Compare(b.size(), a.size()) })
	for _, j := range jobs { // the largest first, each to whoever has least
		k := slices.Index(load, slices.Min(load))
		lanes[k] = append(lanes[k], j)
		load[k] += j.size() + 4096
	}
	return d.runLanes(ctx, lanes)
}

var errNoSuchJob = fault.New(fault.Failed, "", "the node answers what was not asked")
