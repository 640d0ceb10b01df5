package fleet

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"unicode"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// Limits of a target, from the API model.
const (
	maxTagKeys   = 5  // in one request
	maxTagValues = 50 // of one key
)

// Kind says what a Target is made of.
type Kind int

// The kinds of targets.
const (
	KindID     Kind = iota + 1 // i-0123456789abcdef0, mi-…
	KindName                   // a name, computer name or private address
	KindGlob                   // web-*, name:web-?
	KindTag                    // tag:env=prod,dev
	KindTagKey                 // tag:env
	KindGroup                  // @web: a resource group
	KindAll                    // all
	KindFile                   // file:PATH, or - for standard input
	KindECS                    // ecs:CLUSTER_TASK_RUNTIME: a container, for sessions only
	KindRange                  // web-[01-20]
	KindCIDR                   // 10.0.0.0/16, ip:10.0.1.10
	KindSet                    // web-*&tag:env=prod!web-3: several terms and their operators
)

// Target is one parsed target expression.
type Target struct {
	Kind Kind
	Expr string // as it was written

	// Value is the id, name, pattern, group, path ("-" for standard input) or
	// ECS target.
	Value string
	// Key and Values are those of a tag. KindTagKey has no values.
	Key    string
	Values []string

	Names []string     // of KindRange: all of them
	Block netip.Prefix // of KindCIDR
	Set   []Operand    // of KindSet: two or more

	listed []Target // of a KindFile that was read
}

func (t Target) String() string { return t.Expr }

// Has reports whether t is of kind k, or one of its terms is.
func (t Target) Has(k Kind) bool {
	return t.Kind == k || slices.ContainsFunc(t.Set, func(o Operand) bool { return o.Target.Has(k) })
}

// named reports whether a term finds nodes by what they are called.
func (t Target) named() bool {
	switch t.Kind {
	case KindName, KindGlob, KindRange:
		return true
	case KindFile:
		return slices.ContainsFunc(t.listed, Target.named)
	}
	return false
}

var (
	idForm      = pattern.Lazy(`^(?:i-(?:[0-9a-f]{8}|[0-9a-f]{17})|mi-[0-9a-f]{17})$`)
	almostID    = pattern.Lazy(`^m?i-[0-9a-fA-F]+$`)
	almostBlock = pattern.Lazy(`^(?:[0-9.]+|[0-9a-fA-F]*:[0-9a-fA-F:.]*)/[0-9]*$`)
	groupForm   = pattern.Lazy(`^[A-Za-z0-9_.-]{1,128}$`)
	ecsForm     = pattern.Lazy(`^[A-Za-z0-9-]+_[0-9a-f]+_[0-9a-f]+(?:-[0-9]+)?$`)
)

// targetForms is the hint that shows the grammar.
const targetForms = "write an id, a name, web-*, web-[1-9], tag:env=prod, @group, all or file:PATH (see `ssmdeck help targets`)"

// ParseTarget reads one target expression. Its errors are Usage faults with an
// example of the right form. It makes no call: the nodes need not exist.
func ParseTarget(expr string) (Target, error) {
	s := strings.TrimSpace(expr)
	t := Target{Expr: s, Value: s}
	switch {
	case s == "":
		return t, fault.Usagef("the target is empty").WithHint(targetForms)
	case strings.IndexFunc(s, unicode.IsControl) >= 0:
		return t, fault.Usagef("the target %q has a control character in it", s).WithHint(targetForms)
	}
	if set, ok, err := parseSet(t); ok {
		return set, err
	}
	return parseLeaf(t)
}

// parseLeaf reads an expression of one term.
func parseLeaf(t Target) (Target, error) {
	s := t.Expr
	switch {
	case s == "all":
		t.Kind = KindAll
		return t, nil
	case s == "-":
		t.Kind = KindFile
		return t, nil
	case strings.HasPrefix(s, "-"):
		return t, fault.Usagef("the target %q looks like a flag", s).WithHint("put flags before --, or write name:%s", s)
	case strings.HasPrefix(s, "@"):
		return parseGroup(t, s[1:])
	}
	prefix, rest, found := strings.Cut(s, ":")
	if found {
		switch prefix {
		case "tag":
			return parseTag(t, rest)
		case "name":
			return parseName(t, rest)
		case "file":
			if rest == "" {
				return t, fault.Usagef("%q names no file", s).WithHint("write file:PATH, or - for standard input")
			}
			t.Kind, t.Value = KindFile, rest
			return t, nil
		case "ecs":
			if !ecsForm().MatchString(rest) {
				return t, fault.Usagef("%q is not a container", s).
					WithHint("write ecs:CLUSTER_TASKID_RUNTIMEID, as `aws ecs describe-tasks` shows them")
			}
			t.Kind = KindECS
			return t, nil
		case "ip":
			return parseAddress(t, rest)
		}
		if near := fault.Closest(prefix, []string{"tag", "name", "file", "ecs", "ip"}, 1); len(near) > 0 {
			return t, fault.Usagef("there are no targets of the form %s:…", prefix).WithHint("did you mean %s:%s", near[0], rest)
		}
	}
	return parseBare(t, s)
}

// parseBare reads an id, a name or a pattern. What looks like a slip is
// refused, because as a name it could match a node that was not meant; name:
// takes it literally.
func parseBare(t Target, s string) (Target, error) {
	switch {
	case idForm().MatchString(s):
		t.Kind = KindID
		return t, nil
	case almostID().MatchString(s):
		return t, fault.Usagef("%q is not a node id", s).
			WithHint("an id is i- and 8 or 17, or mi- and 17, of 0-9 and a-f; for a name write name:%s", s)
	case strings.Contains(s, "="):
		return t, fault.Usagef("%q is neither an id nor a name", s).WithHint("for a tag write tag:%s", s)
	case almostBlock().MatchString(s):
		return parseAddress(t, s)
	case unescapedIndex(s, '[') >= 0 || unescapedIndex(s, ']') >= 0:
		return parseRange(t, s)
	}
	return parseName(t, s)
}

func parseName(t Target, s string) (Target, error) {
	if s == "" {
		return t, fault.Usagef("%q has no name", t.Expr).WithHint("write name:web-1 or name:web-*")
	}
	s = unescape(s)
	t.Kind, t.Value = KindName, s
	if strings.ContainsAny(s, "*?") {
		t.Kind = KindGlob
	}
	return t, nil
}

func parseGroup(t Target, name string) (Target, error) {
	if !groupForm().MatchString(name) {
		return t, fault.Usagef("%q is not a resource group", t.Expr).WithHint("write @NAME, of letters, digits, and _ . -")
	}
	t.Kind, t.Value = KindGroup, name
	return t, nil
}

// parseTag reads K, K=V or K=V,V. A backslash takes the next character
// literally, for keys with = and values with commas.
func parseTag(t Target, s string) (Target, error) {
	parts, hasValue := splitTag(s)
	key, values := parts[0], parts[1:]
	t.Value, t.Key = s, key
	switch {
	case key == "":
		return t, fault.Usagef("%q has no tag key", t.Expr).WithHint("write tag:env=prod, tag:env=prod,dev or tag:env")
	case len([]rune(key)) > 128:
		return t, fault.Usagef("the key of %q is longer than 128 characters", t.Expr)
	case !hasValue:
		t.Kind = KindTagKey
		return t, nil
	case slices.Contains(values, ""):
		return t, fault.Usagef("%q has an empty value", t.Expr).WithHint("write tag:%s=VALUE, or tag:%s for any value", key, key)
	}
	for _, v := range values {
		if len([]rune(v)) > 256 {
			return t, fault.Usagef("a value of tag %s is longer than 256 characters", key)
		}
		if !slices.Contains(t.Values, v) {
			t.Values = append(t.Values, v)
		}
	}
	if len(t.Values) > maxTagValues {
		return t, fault.Usagef("tag %s has %d values, and %d are allowed", key, len(t.Values), maxTagValues)
	}
	t.Kind = KindTag
	return t, nil
}

// splitTag cuts K=V,V at its unescaped separators and removes the escapes.
func splitTag(s string) (parts []string, hasValue bool) {
	var b strings.Builder
	escaped := false
	for _, r := range s {
		switch {
		case escaped:
			b.WriteRune(r)
			escaped = false
		case r == '\\':
			escaped = true
		case r == '=' && !hasValue, r == ',' && hasValue:
			parts = append(parts, b.String())
			b.Reset()
			hasValue = true
		default:
			b.WriteRune(r)
		}
	}
	if escaped {
		b.WriteRune('\\')
	}
	return append(parts, b.String()), hasValue
}

// ParseTagFlag reads the value of --tag, which is short for a tag target:
// env=prod, env=prod,dev or env.
func ParseTagFlag(s string) (Target, error) {
	s = strings.TrimPrefix(strings.TrimSpace(s), "tag:")
	if strings.IndexFunc(s, unicode.IsControl) >= 0 {
		return Target{}, fault.Usagef("the tag %q has a control character in it", s)
	}
	return parseTag(Target{Expr: "tag:" + s}, s)
}

// ReadTargets reads ids and names, one a line. Blank lines and lines that begin
// with # are skipped. source names r in errors.
func ReadTargets(r io.Reader, source string) ([]Target, error) {
	var out []Target
	sc := bufio.NewScanner(r)
	for line := 1; sc.Scan(); line++ {
		text := strings.TrimSpace(sc.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		t, err := ParseTarget(text)
		if err == nil && t.Kind != KindID && t.Kind != KindName {
			err = fault.Usagef("%q is neither an id nor a name", text)
		}
		if err != nil {
			return nil, fault.New(fault.Usage, fmt.Sprintf("%s, line %d", source, line), "%w", err).
				WithHint("write one id or name a line")
		}
		out = append(out, t)
	}
	if err := sc.Err(); err != nil {
		return nil, fault.New(fault.Usage, "read "+source, "%w", err)
	}
	if len(out) == 0 {
		return nil, fault.New(fault.NotFound, "read "+source, "it names no node").WithHint("write one id or name a line")
	}
	return out, nil
}

// Glob matches name against a pattern in which * stands for any characters and
// ? for one. Case counts.
func Glob(pattern, name string) bool {
	p, n := []rune(pattern), []rune(name)
	i, j, star, mark := 0, 0, -1, 0
	for j < len(n) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == n[j]):
			i++
			j++
		case star >= 0: // let the last star take one more
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}
