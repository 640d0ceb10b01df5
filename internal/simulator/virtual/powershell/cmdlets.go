package powershell

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
)

var aliases = map[string]string{
	"echo": "Write-Output", "write": "Write-Output", "dir": "Get-ChildItem", "ls": "Get-ChildItem", "gci": "Get-ChildItem",
	"cd": "Set-Location", "chdir": "Set-Location", "sl": "Set-Location", "pwd": "Get-Location", "gl": "Get-Location",
	"cat": "Get-Content", "type": "Get-Content", "gc": "Get-Content", "gsv": "Get-Service", "sasv": "Start-Service",
	"spsv": "Stop-Service", "gps": "Get-Process", "ps": "Get-Process", "kill": "Stop-Process", "spps": "Stop-Process",
	"where": "Where-Object", "?": "Where-Object", "foreach": "ForEach-Object", "%": "ForEach-Object", "select": "Select-Object",
	"sort": "Sort-Object", "measure": "Measure-Object", "ft": "Format-Table", "fl": "Format-List", "sls": "Select-String",
	"sleep": "Start-Sleep", "cls": "Clear-Host", "clear": "Clear-Host", "ni": "New-Item", "mkdir": "New-Directory", "md": "New-Directory",
	"rm": "Remove-Item", "del": "Remove-Item", "rd": "Remove-Item", "rmdir": "Remove-Item", "erase": "Remove-Item", "ri": "Remove-Item",
	"copy": "Copy-Item", "cp": "Copy-Item", "cpi": "Copy-Item", "move": "Move-Item", "mv": "Move-Item", "mi": "Move-Item",
	"sc": "Set-Content", "ac": "Add-Content", "h": "Get-History", "history": "Get-History", "gcm": "Get-Command", "tnc": "Test-NetConnection",
	"gu": "Get-Unique", "group": "Group-Object", "oh": "Out-Host",
}

// cmdlets returns all commands by lower-case name.
func cmdlets() map[string]cmdlet {
	all := map[string]cmdlet{
		"write-output":        {"@InputObject [NoEnumerate] *", writeOutput},
		"write-host":          {"@Object [NoNewline] ForegroundColor BackgroundColor Separator *", writeHost},
		"write-error":         {"@Message ErrorId Category", writeError},
		"write-warning":       {"@Message", writeWarning},
		"write-verbose":       {"@Message", func(*Shell, *call, emit) error { return nil }},
		"write-debug":         {"@Message", func(*Shell, *call, emit) error { return nil }},
		"write-progress":      {"@Activity @Status PercentComplete [Completed]", func(*Shell, *call, emit) error { return nil }},
		"out-null":            {"InputObject", func(*Shell, *call, emit) error { return nil }},
		"out-host":            {"[Paging]", passOn},
		"out-default":         {"", passOn},
		"out-string":          {"Width [Stream]", outString},
		"get-date":            {"@Date Format UFormat", getDate},
		"start-sleep":         {"@Seconds Milliseconds", startSleep},
		"where-object":        {"@FilterScript @Is @Value Property [EQ] [NE] [GT] [GE] [LT] [LE] [Like] [NotLike] [Match] [NotMatch] [Contains] [In]", whereObject},
		"foreach-object":      {"@Process Begin End MemberName", forEachObject},
		"select-object":       {"@Property First Last Skip ExpandProperty [Unique]", selectObject},
		"sort-object":         {"@Property [Descending] [Unique]", sortObject},
		"measure-object":      {"@Property [Sum] [Average] [Maximum] [Minimum] [Line] [Word] [Character]", measureObject},
		"group-object":        {"@Property [NoElement]", groupObject},
		"get-unique":          {"", func(s *Shell, c *call, out emit) error { c.params["unique"] = true; return selectObject(s, c, out) }},
		"format-table":        {"@Property [AutoSize] [HideTableHeaders] [Wrap]", formatTableCmd},
		"format-list":         {"@Property", formatListCmd},
		"convertto-json":      {"InputObject Depth [Compress]", convertToJSON},
		"clear-host":          {"", func(s *Shell, _ *call, _ emit) error { s.clear(); return nil }},
		"get-history":         {"", getHistory},
		"get-command":         {"@Name", getCommand},
		"read-host":           {"@Prompt [AsSecureString]", readHost},
		"set-variable":        {"@Name @Value Scope", func(s *Shell, c *call, _ emit) error { s.set(c.text1("Name", ""), c.get("Value")); return nil }},
		"get-variable":        {"@Name [ValueOnly]", getVariable},
		"set-strictmode":      {"Version [Off]", func(*Shell, *call, emit) error { return nil }},
		"set-executionpolicy": {"@ExecutionPolicy Scope [Force]", func(*Shell, *call, emit) error { return nil }},
	}
	maps.Copy(all, fileCmdlets())
	maps.Copy(all, systemCmdlets())
	return all
}

// given returns what a cmdlet works on: its parameter or the pipeline.
func (c *call) given(param string) []any {
	if c.has(param) {
		return append(items(c.get(param)), c.rest...)
	}
	return c.in
}

func passOn(_ *Shell, c *call, out emit) error {
	if len(c.in) == 0 {
		return nil
	}
	return out(c.in)
}

func writeOutput(s *Shell, c *call, out emit) error {
	for _, v := range c.given("InputObject") {
		if err := s.emitAll(v, out); err != nil {
			return err
		}
	}
	return nil
}

func writeHost(s *Shell, c *call, _ emit) error {
	var parts []string
	for _, v := range c.given("Object") {
		parts = append(parts, text(v))
	}
	end := "\n"
	if c.has("NoNewline") {
		end = ""
	}
	_, err := io.WriteString(s.cfg.Stdout, strings.Join(parts, c.text1("Separator", " "))+end)
	return err
}

func writeError(s *Shell, c *call, _ emit) error {
	c.name = "Write-Error " + quoted(c.text1("Message", ""))
	s.ok = false
	return s.fail(c, "Microsoft.PowerShell.Commands.WriteErrorException", c.text1("Message", joined(c.in, "\n")))
}

func quoted(text string) string { return "'" + text + "'" }

func writeWarning(s *Shell, c *call, _ emit) error {
	_, err := io.WriteString(s.cfg.Stdout, "WARNING: "+c.text1("Message", joined(c.in, "\n"))+"\n")
	return err
}

func outString(s *Shell, c *call, out emit) error {
	return out(formatAll(c.in))
}

func getDate(s *Shell, c *call, out emit) error {
	now := s.cfg.Now().UTC()
	if c.has("Date") {
		v, err := s.cast("datetime", c.get("Date"))
		if err != nil {
			return err
		}
		now = v.(time.Time)
	}
	switch {
	case c.has("Format"):
		return out(formatTime(now, c.text1("Format", "")))
	case c.has("UFormat"):
		if c.text1("UFormat", "") == "%s" {
			return out(fmt.Sprint(now.Unix()))
		}
		return s.fail(c, "NotSupported", "Only -UFormat %s is supported by the simulated PowerShell.")
	}
	return out(now)
}

func startSleep(s *Shell, c *call, _ emit) error {
	sec, ok := numeric(c.get("Seconds"))
	if c.has("Milliseconds") {
		sec, ok = numeric(c.get("Milliseconds"))
		sec /= 1000
	}
	if !ok || sec < 0 || sec > 1e9 {
		return s.throw("ParameterArgumentValidationError", "Cannot validate argument on parameter 'Seconds'.")
	}
	return shell.Sleep(s.ctx, time.Duration(sec*float64(time.Second)))
}

// withItem runs a block with $_ set and returns what it gives.
func (s *Shell) withItem(b *block, item any) ([]any, error) {
	return s.collect(func(out emit) error {
		return s.call(b.body, map[string]any{"_": item, "psitem": item}, out)
	})
}

func whereObject(s *Shell, c *call, out emit) error {
	b, isBlock := c.get("FilterScript").(*block)
	prop := c.text1("Property", c.text1("FilterScript", ""))
	op := ""
	for _, name := range []string{"EQ", "NE", "GT", "GE", "LT", "LE", "Like", "NotLike", "Match", "NotMatch", "Contains", "In"} {
		if c.has(name) {
			op = "-" + strings.ToLower(name)
		}
	}
	value := c.get("Value")
	if c.has("Is") && !c.has("Value") {
		value = c.get("Is")
	}
	var keep []any
	for _, item := range c.in {
		yes := false
		if isBlock {
			got, err := s.withItem(b, item)
			if err != nil {
				return err
			}
			yes = truth(collapse(got))
		} else {
			v, err := s.member(item, prop)
			if err != nil {
				return err
			}
			if yes = truth(v); op != "" {
				if yes, err = s.test(op, v, value); err != nil {
					return err
				}
			}
		}
		if yes {
			keep = append(keep, item)
		}
	}
	return s.emitAll(keep, out)
}

func forEachObject(s *Shell, c *call, out emit) error {
	for _, name := range []string{"Begin", "Process", "End"} {
		b, isBlock := c.get(name).(*block)
		switch {
		case name != "Process":
			if isBlock {
				if err := s.call(b.body, map[string]any{}, out); err != nil {
					return err
				}
			}
			continue
		case !isBlock:
			prop := c.text1("MemberName", c.text1("Process", ""))
			for _, item := range c.in {
				v, err := s.member(item, prop)
				if err != nil {
					return err
				}
				if err := s.emitAll(v, out); err != nil {
					return err
				}
			}
			continue
		}
		for _, item := range c.in {
			if err := s.call(b.body, map[string]any{"_": item, "psitem": item}, out); err != nil {
				return err
			}
		}
	}
	return nil
}

// pick returns a custom object with the given properties of item.
func (s *Shell) pick(item any, props []any) (*Object, error) {
	o := &Object{}
	for _, p := range props {
		if t, ok := p.(*Object); ok { // @{n=..;e={..}}
			name, _ := firstOf(t, "n", "name", "l", "label")
			e, _ := firstOf(t, "e", "expression")
			b, isBlock := e.(*block)
			if !isBlock {
				v, err := s.member(item, text(e))
				if err != nil {
					return nil, err
				}
				o.Set(text(name), v)
				continue
			}
			got, err := s.withItem(b, item)
			if err != nil {
				return nil, err
			}
			o.Set(text(name), collapse(got))
			continue
		}
		name := text(p)
		if src, ok := item.(*Object); ok && strings.Contains(name, "*") {
			for i, n := range src.Names {
				if wildcard(name, n) {
					o.Set(n, src.Values[i])
				}
			}
			continue
		}
		v, err := s.member(item, name)
		if err != nil {
			return nil, err
		}
		o.Set(name, v)
	}
	return o, nil
}

func firstOf(o *Object, names ...string) (any, bool) {
	for _, n := range names {
		if v, ok := o.Get(n); ok {
			return v, true
		}
	}
	return nil, false
}

func selectObject(s *Shell, c *call, out emit) error {
	list := c.in
	if c.has("Skip") {
		list = list[min(max(c.number("Skip", 0), 0), len(list)):]
	}
	if c.has("Unique") {
		var kept []any
		for _, v := range list {
			if !slices.ContainsFunc(kept, func(k any) bool { return text(k) == text(v) }) {
				kept = append(kept, v)
			}
		}
		list = kept
	}
	if c.has("First") {
		list = list[:min(max(c.number("First", 0), 0), len(list))]
	}
	if c.has("Last") {
		list = list[len(list)-min(max(c.number("Last", 0), 0), len(list)):]
	}
	if p := c.text1("ExpandProperty", ""); p != "" {
		v, err := s.member(slices.Clone(list), p)
		if err != nil {
			return err
		}
		return s.emitAll(v, out)
	}
	if !c.has("Property") {
		return s.emitAll(slices.Clone(list), out)
	}
	var picked []any
	for _, item := range list {
		o, err := s.pick(item, items(c.get("Property")))
		if err != nil {
			return err
		}
		picked = append(picked, o)
	}
	return s.emitAll(picked, out)
}

func sortObject(s *Shell, c *call, out emit) error {
	list := slices.Clone(c.in)
	var failed error
	key := func(item any) any {
		p := collapse(items(c.get("Property")))
		if many, ok := p.([]any); ok {
			p = many[0]
		}
		if b, ok := p.(*block); ok {
			got, err := s.withItem(b, item)
			failed = cmp.Or(failed, err)
			return collapse(got)
		}
		if p == nil {
			return item
		}
		v, err := s.member(item, text(p))
		failed = cmp.Or(failed, err)
		return v
	}
	slices.SortStableFunc(list, func(a, b any) int {
		r := compare(key(a), key(b))
		if c.has("Descending") {
			return -r
		}
		return r
	})
	if failed != nil {
		return failed
	}
	if c.has("Unique") {
		list = slices.CompactFunc(list, func(a, b any) bool { return compare(key(a), key(b)) == 0 })
	}
	return s.emitAll(list, out)
}

func measureObject(s *Shell, c *call, out emit) error {
	o := NewObject("", "Count", int64(len(c.in)))
	if c.has("Line") {
		return out(NewObject("", "Lines", int64(len(c.in))))
	}
	var sum, low, high float64
	for i, item := range c.in {
		v := item
		if p := c.text1("Property", ""); p != "" {
			var err error
			if v, err = s.member(item, p); err != nil {
				return err
			}
		}
		f, _ := numeric(v)
		sum += f
		if i == 0 || f < low {
			low = f
		}
		if i == 0 || f > high {
			high = f
		}
	}
	show := func(name string, v any) {
		if !c.has(name) {
			v = nil
		}
		o.Set(name, v)
	}
	show("Average", whole(sum/float64(max(len(c.in), 1))))
	show("Sum", whole(sum))
	show("Maximum", whole(high))
	show("Minimum", whole(low))
	o.Set("Property", c.get("Property"))
	return out(o)
}

func groupObject(s *Shell, c *call, out emit) error {
	groups := map[string][]any{}
	var order []string
	for _, item := range c.in {
		v := item
		if p := c.text1("Property", ""); p != "" {
			var err error
			if v, err = s.member(item, p); err != nil {
				return err
			}
		}
		k := text(v)
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], item)
	}
	var list []any
	for _, k := range order {
		list = append(list, NewObject("", "Count", int64(len(groups[k])), "Name", k))
	}
	return s.emitAll(list, out)
}

// formatted passes on what format makes of the input, or the input itself where
// it is not all objects.
func formatted(s *Shell, c *call, out emit, format func([]*Object) string) error {
	var group []*Object
	for _, item := range c.in {
		o, ok := item.(*Object)
		if !ok {
			return passOn(s, c, out)
		}
		if c.has("Property") {
			var err error
			if o, err = s.pick(item, items(c.get("Property"))); err != nil {
				return err
			}
		}
		group = append(group, o)
	}
	if len(group) == 0 {
		return nil
	}
	return out(strings.TrimSuffix(format(group), "\n"))
}

func formatTableCmd(s *Shell, c *call, out emit) error {
	return formatted(s, c, out, func(group []*Object) string {
		if cols, ok := views[group[0].Type]; ok && !c.has("Property") {
			return formatTable(group, cols)
		}
		return formatTable(group, columnsOf(group))
	})
}

func formatListCmd(s *Shell, c *call, out emit) error {
	return formatted(s, c, out, formatList)
}

// plain turns a value into what encoding/json writes.
func plain(v any, depth int) any {
	switch v := v.(type) {
	case *Object:
		if depth <= 0 {
			return text(v)
		}
		return ordered{v, depth}
	case []any:
		list := make([]any, len(v))
		for i, x := range v {
			list[i] = plain(x, depth)
		}
		return list
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	case *block:
		return text(v)
	}
	return v
}

// ordered writes an object with its properties in order.
type ordered struct {
	o     *Object
	depth int
}

func (o ordered) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	b.WriteByte('{')
	for i, n := range o.o.Names {
		if i > 0 {
			b.WriteByte(',')
		}
		k, err := json.Marshal(n)
		if err != nil {
			return nil, err
		}
		v, err := json.Marshal(plain(o.o.Values[i], o.depth-1))
		if err != nil {
			return nil, err
		}
		b.Write(k)
		b.WriteByte(':')
		b.Write(v)
	}
	b.WriteByte('}')
	return []byte(b.String()), nil
}

func convertToJSON(s *Shell, c *call, out emit) error {
	v := plain(collapse(c.given("InputObject")), min(max(c.number("Depth", 2), 1), 20))
	data, err := json.MarshalIndent(v, "", "    ")
	if c.has("Compress") {
		data, err = json.Marshal(v)
	}
	if err != nil {
		return s.throw("JsonError", "The value cannot be converted to JSON.")
	}
	return out(string(data))
}

func (s *Shell) clear() {
	if s.cfg.Clear != nil {
		s.cfg.Clear()
	}
}

func getHistory(s *Shell, _ *call, out emit) error {
	if s.cfg.History == nil {
		return nil
	}
	var list []any
	for i, line := range s.cfg.History() {
		list = append(list, NewObject("", "Id", int64(i+1), "CommandLine", line))
	}
	return s.emitAll(list, out)
}

func getCommand(s *Shell, c *call, out emit) error {
	var list []any
	pat := c.text1("Name", "*")
	for _, name := range Commands() {
		if wildcard(pat, name) {
			list = append(list, NewObject("", "CommandType", "Cmdlet", "Name", name, "Source", "Simulated"))
		}
	}
	if len(list) == 0 {
		return s.fail(c, "CommandNotFoundException", "The term '"+pat+"' is not recognized as the name of a cmdlet, function, script file, or operable program.")
	}
	return s.emitAll(list, out)
}

// Commands returns the names of all commands in their usual case, for
// completion.
func Commands() []string {
	var names []string
	for key := range cmdlets() {
		parts := strings.Split(key, "-")
		if len(parts) == 2 {
			for i, p := range parts {
				parts[i] = strings.ToUpper(p[:1]) + p[1:]
			}
		}
		names = append(names, strings.Join(parts, "-"))
	}
	slices.Sort(names)
	return names
}

func readHost(s *Shell, c *call, out emit) error {
	if c.has("Prompt") {
		io.WriteString(s.cfg.Stdout, c.text1("Prompt", "")+": ")
	}
	var line []byte
	var b [1]byte
	for s.cfg.Stdin != nil && len(line) < 1<<16 {
		n, err := s.cfg.Stdin.Read(b[:])
		if n == 1 && b[0] != '\n' {
			line = append(line, b[0])
		}
		if err != nil || n == 1 && b[0] == '\n' {
			break
		}
	}
	return out(strings.TrimSuffix(string(line), "\r"))
}

func getVariable(s *Shell, c *call, out emit) error {
	v, ok := s.get(c.text1("Name", ""))
	switch {
	case !ok:
		return s.fail(c, "VariableNotFound", "Cannot find a variable with the name '"+c.text1("Name", "")+"'.")
	case c.has("ValueOnly"):
		return s.emitAll(v, out)
	}
	return out(NewObject("", "Name", c.text1("Name", ""), "Value", v))
}
