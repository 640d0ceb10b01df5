package powershell

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/memfs"
)

func fileCmdlets() map[string]cmdlet {
	return map[string]cmdlet{
		"get-childitem": {"@Path @Filter [Recurse] [Force] [File] [Directory] [Name] Depth Include", getChildItem},
		"get-item":      {"@Path [Force]", getItem},
		"set-location":  {"@Path", setLocation},
		"get-location":  {"", func(s *Shell, _ *call, out emit) error { return out(NewObject("PathInfo", "Path", s.dir)) }},
		"get-content":   {"@Path Tail TotalCount First Encoding [Raw] [Wait]", getContent},
		"set-content":   {"@Path @Value Encoding [Force] [NoNewline]", writeContent},
		"add-content":   {"@Path @Value Encoding [Force] [NoNewline]", writeContent},
		"out-file":      {"@FilePath Encoding [Append] [Force] Width", outFile},
		"test-path":     {"@Path PathType", testPath},
		"new-item":      {"@Path Name ItemType Value [Force]", newItem},
		"new-directory": {"@Path", func(s *Shell, c *call, out emit) error { c.params["itemtype"] = "Directory"; return newItem(s, c, out) }},
		"remove-item":   {"@Path [Recurse] [Force]", removeItem},
		"copy-item":     {"@Path @Destination [Recurse] [Force]", copyItem},
		"move-item":     {"@Path @Destination [Force]", moveItem},
		"new-object":    {"@TypeName @ArgumentList", newObject},
		"join-path":     {"@Path @ChildPath", joinPath},
		"split-path":    {"@Path [Leaf] [Parent]", splitPath},
		"select-string": {"@Pattern @Path InputObject [SimpleMatch] [CaseSensitive] [NotMatch] [Quiet]", selectString},
	}
}

// paths returns the parameter or what came from the pipeline, as paths.
func (c *call) paths(s *Shell) []string {
	var list []string
	for _, v := range c.given("Path") {
		if o, ok := v.(*Object); ok {
			if full, ok := o.Get("FullName"); ok {
				v = full
			}
		}
		list = append(list, text(v))
	}
	return list
}

// fileObject describes a file.
func (s *Shell) fileObject(info memfs.Info, full string) *Object {
	mode := "-a----"
	var length any = info.Size()
	size := text(info.Size())
	if info.IsDir() {
		mode, length, size = "d-----", nil, ""
	}
	dir := full[:max(strings.LastIndexByte(full, '\\'), 2)]
	if len(dir) == 2 {
		dir += `\`
	}
	return NewObject("File", "Mode", mode, "LastWriteTime", info.ModTime(), "Length", length, "Name", info.Name(), "FullName", full,
		"Extension", path.Ext(info.Name()), "BaseName", strings.TrimSuffix(info.Name(), path.Ext(info.Name())), "PSIsContainer", info.IsDir(),
		"Directory", dir, "When", info.ModTime().UTC().Format("1/2/2006   3:04 PM"), "Size", size)
}

// glob resolves a path whose last element may have wildcards.
func (s *Shell) glob(name string) ([]memfs.Info, []string, error) {
	full := s.abs(name)
	i := strings.LastIndexByte(full, '\\')
	if !strings.ContainsAny(full[i+1:], "*?") {
		info, err := s.cfg.FS.Stat(s.cred(), s.fsPath(full))
		if err != nil {
			return nil, nil, err
		}
		return []memfs.Info{info}, []string{full}, nil
	}
	list, err := s.cfg.FS.ReadDir(s.cred(), s.fsPath(full[:i]+`\`))
	if err != nil {
		return nil, nil, err
	}
	var infos []memfs.Info
	var names []string
	for _, info := range list {
		if wildcard(full[i+1:], info.Name()) {
			infos, names = append(infos, info), append(names, full[:i]+`\`+info.Name())
		}
	}
	return infos, names, nil
}

func (s *Shell) failPath(c *call, name string, err error) error {
	t := &thrown{}
	errors.As(s.pathError(c.name, name, err), &t)
	return s.fail(c, t.id, t.text)
}

func getChildItem(s *Shell, c *call, out emit) error {
	names := c.paths(s)
	if len(names) == 0 || !c.has("Path") && !c.piped {
		names = []string{s.dir}
	}
	var list []any
	for _, name := range names {
		if strings.EqualFold(strings.TrimRight(name, `\`), "env:") {
			for _, k := range sortedKeys(s.env) {
				list = append(list, NewObject("", "Name", k, "Value", s.env[k]))
			}
			continue
		}
		infos, fulls, err := s.glob(name)
		if err != nil {
			if err := s.failPath(c, name, err); err != nil {
				return err
			}
			continue
		}
		for i, info := range infos {
			if info.IsDir() && !strings.ContainsAny(name, "*?") {
				list = append(list, s.list(c, fulls[i], 0)...)
			} else if s.wanted(c, info) {
				list = append(list, s.fileObject(info, fulls[i]))
			}
		}
	}
	if c.has("Name") {
		for i, v := range list {
			list[i], _ = v.(*Object).Get("Name")
		}
	}
	return s.emitAll(list, out)
}

func sortedKeys(m map[string]string) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	for i := range keys {
		for j := i; j > 0 && keys[j] < keys[j-1]; j-- {
			keys[j], keys[j-1] = keys[j-1], keys[j]
		}
	}
	return keys
}

func (s *Shell) wanted(c *call, info memfs.Info) bool {
	filter := c.text1("Filter", c.text1("Include", "*"))
	return wildcard(filter, info.Name()) && !(c.has("File") && info.IsDir()) && !(c.has("Directory") && !info.IsDir())
}

// list returns the content of a directory, and with -Recurse of those in it.
func (s *Shell) list(c *call, dir string, depth int) []any {
	infos, err := s.cfg.FS.ReadDir(s.cred(), s.fsPath(dir))
	if err != nil {
		_ = s.failPath(c, dir, err) // reported; the others are still listed
		return nil
	}
	var list []any
	for _, info := range infos {
		full := strings.TrimSuffix(dir, `\`) + `\` + info.Name()
		if s.wanted(c, info) {
			list = append(list, s.fileObject(info, full))
		}
		if info.IsDir() && c.has("Recurse") && depth < c.number("Depth", 100) {
			list = append(list, s.list(c, full, depth+1)...)
		}
	}
	return list
}

// eachPath calls f for everything that the paths of c match, and fails those
// that match nothing.
func (s *Shell) eachPath(c *call, f func(info memfs.Info, full string) error) error {
	for _, name := range c.paths(s) {
		infos, fulls, err := s.glob(name)
		if err != nil {
			if err := s.failPath(c, name, err); err != nil {
				return err
			}
			continue
		}
		for i, info := range infos {
			if err := f(info, fulls[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func getItem(s *Shell, c *call, out emit) error {
	return s.eachPath(c, func(info memfs.Info, full string) error { return out(s.fileObject(info, full)) })
}

func setLocation(s *Shell, c *call, _ emit) error {
	name := c.text1("Path", s.cfg.Home)
	info, err := s.cfg.FS.Stat(s.cred(), s.fsPath(name))
	if err == nil && !info.IsDir() {
		err = os.ErrNotExist
	}
	if err != nil {
		return s.failPath(c, name, err)
	}
	s.dir = s.abs(name)
	return nil
}

// lines splits the content of a file.
func lines(data []byte) []string {
	t := strings.ReplaceAll(string(data), "\r\n", "\n")
	if t = strings.TrimSuffix(t, "\n"); t == "" && len(data) == 0 {
		return nil
	}
	return strings.Split(t, "\n")
}

func getContent(s *Shell, c *call, out emit) error {
	return s.eachPath(c, func(_ memfs.Info, full string) error { return s.content(c, full, out) })
}

func (s *Shell) content(c *call, full string, out emit) error {
	h, err := s.cfg.FS.Open(s.cred(), s.fsPath(full), os.O_RDONLY, 0)
	if err != nil {
		return s.failPath(c, full, err)
	}
	data, err := io.ReadAll(io.LimitReader(h, 64<<20))
	if err != nil {
		return s.failPath(c, full, err)
	}
	if c.has("Raw") {
		return out(string(data))
	}
	list := lines(data)
	if c.has("Tail") {
		list = list[len(list)-min(max(c.number("Tail", 0), 0), len(list)):]
	}
	if c.has("TotalCount") || c.has("First") {
		list = list[:min(max(c.number("TotalCount", c.number("First", 0)), 0), len(list))]
	}
	for _, line := range list {
		if err := out(line); err != nil {
			return err
		}
	}
	for c.has("Wait") && s.ctx.Err() == nil {
		changed := s.cfg.FS.Changed()
		more, _ := io.ReadAll(h)
		for _, line := range lines(more) {
			if err := out(line); err != nil {
				return err
			}
		}
		select {
		case <-changed:
		case <-s.ctx.Done():
			return s.ctx.Err()
		}
	}
	return nil
}

// write stores text in a file.
func (s *Shell) write(c *call, name, data string, appends bool) error {
	flag := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if appends {
		flag = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	}
	h, err := s.cfg.FS.Open(s.cred(), s.fsPath(name), flag, 0o666)
	if err == nil {
		_, err = io.WriteString(h, data)
	}
	if err != nil {
		return s.failPath(c, name, err)
	}
	return nil
}

// writeContent is Set-Content and Add-Content.
func writeContent(s *Shell, c *call, _ emit) error {
	var b bytes.Buffer
	for _, v := range c.given("Value") {
		b.WriteString(text(v))
		if !c.has("NoNewline") {
			b.WriteString("\r\n")
		}
	}
	for _, name := range c.strings("Path") {
		if err := s.write(c, name, b.String(), strings.EqualFold(c.name, "add-content") || c.name == "ac"); err != nil {
			return err
		}
	}
	return nil
}

func outFile(s *Shell, c *call, _ emit) error {
	return s.write(c, c.text1("FilePath", ""), strings.ReplaceAll(formatAll(c.in), "\n", "\r\n"), c.has("Append"))
}

func testPath(s *Shell, c *call, out emit) error {
	for _, name := range c.paths(s) {
		infos, _, err := s.glob(name)
		yes := err == nil && len(infos) > 0
		switch strings.ToLower(c.text1("PathType", "")) {
		case "leaf":
			yes = yes && !infos[0].IsDir()
		case "container":
			yes = yes && infos[0].IsDir()
		}
		if err := out(yes); err != nil {
			return err
		}
	}
	return nil
}

func newItem(s *Shell, c *call, out emit) error {
	name := c.text1("Path", s.dir)
	if c.has("Name") {
		name = strings.TrimSuffix(name, `\`) + `\` + c.text1("Name", "")
	}
	_, statErr := s.cfg.FS.Stat(s.cred(), s.fsPath(name))
	var err error
	switch strings.ToLower(c.text1("ItemType", "File")) {
	case "directory", "d", "container":
		if statErr == nil && !c.has("Force") {
			return s.fail(c, "DirectoryExist", "An item with the specified name "+s.abs(name)+" already exists.")
		}
		err = s.cfg.FS.MkdirAll(s.cred(), s.fsPath(name), 0o755)
	case "file", "f":
		if statErr == nil && !c.has("Force") {
			return s.fail(c, "NewItemIOError", "The file '"+s.abs(name)+"' already exists.")
		}
		if err := s.write(c, name, c.text1("Value", ""), false); err != nil || !s.ok {
			return err
		}
	default:
		return s.fail(c, "NotSupported", "Only files and directories are supported by the simulated PowerShell.")
	}
	if err != nil {
		return s.failPath(c, name, err)
	}
	info, err := s.cfg.FS.Stat(s.cred(), s.fsPath(name))
	if err != nil {
		return s.failPath(c, name, err)
	}
	return out(s.fileObject(info, s.abs(name)))
}

func removeItem(s *Shell, c *call, _ emit) error {
	for _, name := range c.paths(s) {
		infos, fulls, err := s.glob(name)
		for i, full := range fulls {
			if infos[i].IsDir() && !c.has("Recurse") {
				err = s.cfg.FS.Remove(s.cred(), s.fsPath(full))
			} else {
				err = s.cfg.FS.RemoveAll(s.cred(), s.fsPath(full))
			}
			if err != nil {
				break
			}
		}
		if errors.Is(err, memfs.ErrNotEmpty) {
			if err := s.fail(c, "DirectoryNotEmpty", "The item at "+s.abs(name)+" has children and the Recurse parameter was not specified."); err != nil {
				return err
			}
		} else if err != nil {
			if err := s.failPath(c, name, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// destination is where name goes: into a directory, or under the new name.
func (s *Shell) destination(name, to string) string {
	if info, err := s.cfg.FS.Stat(s.cred(), s.fsPath(to)); err == nil && info.IsDir() {
		full := s.abs(name)
		return strings.TrimSuffix(to, `\`) + full[strings.LastIndexByte(full, '\\'):]
	}
	return to
}

func copyItem(s *Shell, c *call, _ emit) error {
	for _, name := range c.paths(s) {
		_, fulls, err := s.glob(name)
		for _, full := range fulls {
			if err = s.copy(full, s.destination(full, c.text1("Destination", s.dir)), c.has("Recurse"), 0); err != nil {
				break
			}
		}
		if err != nil {
			if err := s.failPath(c, name, err); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Shell) copy(from, to string, recurse bool, depth int) error {
	info, err := s.cfg.FS.Stat(s.cred(), s.fsPath(from))
	if err != nil {
		return err
	}
	if info.IsDir() {
		if err := s.cfg.FS.MkdirAll(s.cred(), s.fsPath(to), 0o755); err != nil || !recurse || depth > 50 {
			return err
		}
		list, err := s.cfg.FS.ReadDir(s.cred(), s.fsPath(from))
		if err != nil {
			return err
		}
		for _, child := range list {
			if err := s.copy(from+`\`+child.Name(), to+`\`+child.Name(), true, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	data, err := s.cfg.FS.ReadFile(s.cred(), s.fsPath(from))
	if err != nil {
		return err
	}
	h, err := s.cfg.FS.Open(s.cred(), s.fsPath(to), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	_, err = h.Write(data)
	return err
}

func moveItem(s *Shell, c *call, _ emit) error {
	for _, name := range c.paths(s) {
		to := s.destination(name, c.text1("Destination", s.dir))
		if err := s.cfg.FS.Rename(s.cred(), s.fsPath(name), s.fsPath(to)); err != nil {
			if err := s.failPath(c, name, err); err != nil {
				return err
			}
		}
	}
	return nil
}

func joinPath(_ *Shell, c *call, out emit) error {
	return out(strings.TrimRight(c.text1("Path", ""), `\`) + `\` + strings.TrimLeft(c.text1("ChildPath", ""), `\`))
}

func splitPath(_ *Shell, c *call, out emit) error {
	name := strings.TrimRight(text(collapse(c.given("Path"))), `\`)
	i := strings.LastIndexAny(name, `\/`)
	if c.has("Leaf") {
		return out(name[i+1:])
	}
	return out(name[:max(i, 0)])
}

func selectString(s *Shell, c *call, out emit) error {
	pat := c.text1("Pattern", "")
	if c.has("SimpleMatch") {
		pat = strings.NewReplacer(`\`, `\\`, ".", `\.`, "*", `\*`, "+", `\+`, "?", `\?`, "(", `\(`, ")", `\)`, "[", `\[`, "{", `\{`, "|", `\|`, "^", `\^`, "$", `\$`).Replace(pat)
	}
	if c.has("CaseSensitive") {
		pat = "(?-i)" + pat
	}
	re, err := s.regex(pat)
	if err != nil {
		return err
	}
	found := false
	match := func(line, prefix string) error {
		if re.MatchString(line) == c.has("NotMatch") {
			return nil
		}
		found = true
		if c.has("Quiet") {
			return nil
		}
		o := NewObject("MatchInfo", "Line", line, "Pattern", c.text1("Pattern", ""))
		o.Text = prefix + line
		return out(o)
	}
	for _, v := range c.in {
		for _, line := range strings.Split(strings.TrimSuffix(formatAll([]any{v}), "\n"), "\n") {
			if err := match(line, ""); err != nil {
				return err
			}
		}
	}
	for _, name := range c.strings("Path") {
		_, fulls, err := s.glob(name)
		if err != nil {
			if err := s.failPath(c, name, err); err != nil {
				return err
			}
		}
		for _, full := range fulls {
			data, err := s.cfg.FS.ReadFile(s.cred(), s.fsPath(full))
			if err != nil {
				continue
			}
			for i, line := range lines(data) {
				if err := match(line, full[strings.LastIndexByte(full, '\\')+1:]+":"+text(int64(i+1))+":"); err != nil {
					return err
				}
			}
		}
	}
	if c.has("Quiet") {
		return out(found)
	}
	return nil
}
