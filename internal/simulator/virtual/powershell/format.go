package powershell

import (
	"strings"
	"time"
	"unicode/utf8"
)

// column of a table: title, property, width (0 for what is left), right.
type column struct {
	title, prop string
	width       int
	right       bool
}

// views are the tables of the types that have one of their own.
var views = map[string][]column{
	"Service": {{"Status", "Status", 8, false}, {"Name", "Name", 18, false}, {"DisplayName", "DisplayName", 38, false}},
	"Process": {
		{"Handles", "Handles", 7, true},
		{"NPM(K)", "NPM", 7, true},
		{"PM(K)", "PM", 8, true},
		{"WS(K)", "WS", 10, true},
		{"CPU(s)", "CPU", 10, true},
		{"Id", "Id", 6, true},
		{"SI", "SI", 3, true},
		{"ProcessName", "ProcessName", 0, false},
	},
	"File":     {{"Mode", "Mode", 19, false}, {"LastWriteTime", "When", 20, true}, {"Length", "Size", 14, true}, {"Name", "Name", 0, false}},
	"HotFix":   {{"Source", "Source", 13, false}, {"Description", "Description", 16, false}, {"HotFixID", "HotFixID", 13, false}, {"InstalledBy", "InstalledBy", 20, false}, {"InstalledOn", "InstalledOn", 25, false}},
	"Version":  {{"Major", "Major", 6, false}, {"Minor", "Minor", 6, false}, {"Build", "Build", 6, false}, {"Revision", "Revision", 8, false}},
	"PathInfo": {{"Path", "Path", 0, false}},
}

// formatAll shows values as Out-Default does.
func formatAll(list []any) string {
	var b strings.Builder
	for i := 0; i < len(list); {
		o, ok := list[i].(*Object)
		if !ok {
			switch v := list[i].(type) {
			case nil:
			case []any:
				b.WriteString(formatAll(v))
			case time.Time:
				b.WriteString("\n" + v.UTC().Format("Monday, January 2, 2006 3:04:05 PM") + "\n\n\n")
			default:
				b.WriteString(text(v) + "\n")
			}
			i++
			continue
		}
		j := i
		var group []*Object
		for ; j < len(list); j++ {
			other, ok := list[j].(*Object)
			if !ok || other.Type != o.Type || o.Type == "" && len(other.Names) != len(o.Names) {
				break
			}
			group = append(group, other)
		}
		b.WriteString(formatGroup(group))
		i = j
	}
	return b.String()
}

// formatGroup shows objects of one type.
func formatGroup(group []*Object) string {
	first := group[0]
	if first.Text != "" {
		var b strings.Builder
		for _, o := range group {
			b.WriteString(o.Text + "\n")
		}
		return b.String()
	}
	if first.Type == "Hashtable" {
		var rows []*Object
		for _, o := range group {
			for i, n := range o.Names {
				rows = append(rows, NewObject("", "Name", n, "Value", o.Values[i]))
			}
		}
		return formatTable(rows, []column{{"Name", "Name", 30, false}, {"Value", "Value", 0, false}})
	}
	if cols, ok := views[first.Type]; ok {
		text := formatTable(group, cols)
		if dir, ok := first.Get("Directory"); ok && first.Type == "File" {
			text = "\n\n    Directory: " + dir.(string) + "\n" + text
		}
		return text
	}
	if len(first.Names) > 4 {
		return formatList(group)
	}
	return formatTable(group, columnsOf(group))
}

// columnsOf makes columns for all properties, as wide as needed.
func columnsOf(group []*Object) []column {
	var cols []column
	for i, n := range group[0].Names {
		c := column{title: n, prop: n, width: utf8.RuneCountInString(n)}
		_, c.right = group[0].Values[i].(int64)
		for _, o := range group {
			v, _ := o.Get(n)
			c.width = max(c.width, utf8.RuneCountInString(text(v)))
		}
		cols = append(cols, c)
	}
	return cols
}

func pad(s string, width int, right bool) string {
	n := utf8.RuneCountInString(s)
	switch {
	case width == 0:
		return s
	case n > width:
		rs := []rune(s)
		if width > 3 {
			return string(rs[:width-3]) + "..."
		}
		return string(rs[:width])
	case right:
		return strings.Repeat(" ", width-n) + s
	}
	return s + strings.Repeat(" ", width-n)
}

// formatTable prints a title, a rule and a row for each object, with an empty
// line before and two after.
func formatTable(group []*Object, cols []column) string {
	var b strings.Builder
	row := func(cell func(column) string) {
		for i, c := range cols {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(pad(cell(c), c.width, c.right))
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	row(func(c column) string { return c.title })
	row(func(c column) string { return strings.Repeat("-", utf8.RuneCountInString(c.title)) })
	for _, o := range group {
		row(func(c column) string {
			v, _ := o.Get(c.prop)
			return text(v)
		})
	}
	b.WriteString("\n\n")
	return b.String()
}

// formatList prints a line for each property.
func formatList(group []*Object) string {
	var b strings.Builder
	b.WriteByte('\n')
	for _, o := range group {
		wide := 0
		for _, n := range o.Names {
			wide = max(wide, utf8.RuneCountInString(n))
		}
		b.WriteByte('\n')
		for i, n := range o.Names {
			b.WriteString(pad(n, wide, false) + " : " + text(o.Values[i]) + "\n")
		}
	}
	b.WriteString("\n\n")
	return b.String()
}
