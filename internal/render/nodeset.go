package render

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Fold writes many names short: web-1, web-2, web-3, web-7, db is
// "db,web-[1-3,7]". Names that differ in their last number are put together;
// numbers keep their leading zeros ("web[01-40]"). Instance ids, whose digits
// count nothing, stay whole. Repeated names are written once; the order is that
// of NaturalCompare.
func Fold(names []string) string {
	names = slices.Clone(names)
	slices.SortFunc(names, NaturalCompare)
	names = slices.Compact(names)

	groups := map[stem][]number{}
	var order []stem
	for _, name := range names {
		s, n := split(name)
		if _, seen := groups[s]; !seen {
			order = append(order, s)
		}
		groups[s] = append(groups[s], n)
	}
	joinPadded(groups)
	parts := make([]string, 0, len(order))
	for _, s := range order {
		if len(groups[s]) > 0 {
			parts = append(parts, s.write(groups[s]))
		}
	}
	return strings.Join(parts, ",")
}

// joinPadded moves 10 to the numbers of 08 and 09, with which it was counted.
func joinPadded(groups map[stem][]number) {
	for s, numbers := range groups {
		if !s.numbered || s.digits > 0 {
			continue
		}
		groups[s] = slices.DeleteFunc(numbers, func(n number) bool {
			padded := s
			padded.digits = len(n.text)
			if _, ok := groups[padded]; !ok {
				return false
			}
			groups[padded] = append(groups[padded], n)
			return true
		})
	}
}

// stem is a name without its last number. Numbers with leading zeros only go
// with numbers of the same length.
type stem struct {
	before, after string
	numbered      bool
	digits        int // of numbers with leading zeros; else 0
}

type number struct {
	value uint64
	text  string
}

func split(name string) (stem, number) {
	end := strings.LastIndexAny(name, "0123456789") + 1
	start := end
	for start > 0 && name[start-1] >= '0' && name[start-1] <= '9' {
		start--
	}
	text := name[start:end]
	value, err := strconv.ParseUint(text, 10, 64)
	if err != nil || isInstanceID(name) || strings.ContainsAny(name, "[],") {
		return stem{before: name}, number{}
	}
	s := stem{before: name[:start], after: name[end:], numbered: true}
	if text[0] == '0' && len(text) > 1 {
		s.digits = len(text)
	}
	return s, number{value, text}
}

// isInstanceID reports whether name is an EC2 or hybrid instance id: i- or mi-
// and 8 or 17 hexadecimal digits.
func isInstanceID(name string) bool {
	hex, ok := strings.CutPrefix(strings.TrimPrefix(name, "m"), "i-")
	return ok && (len(hex) == 8 || len(hex) == 17) && strings.Trim(hex, "0123456789abcdef") == ""
}

func (s stem) write(numbers []number) string {
	if !s.numbered {
		return s.before
	}
	if len(numbers) == 1 {
		return s.before + numbers[0].text + s.after
	}
	slices.SortFunc(numbers, func(a, b number) int { return cmp.Compare(a.value, b.value) })
	var b strings.Builder
	b.WriteString(s.before + "[")
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1].value == numbers[j].value+1 {
			j++
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(numbers[i].text)
		switch {
		case j == i+1:
			b.WriteString("," + numbers[j].text)
		case j > i:
			b.WriteString("-" + numbers[j].text)
		}
		i = j + 1
	}
	b.WriteString("]" + s.after)
	return b.String()
}

// NaturalCompare orders texts as people do: runs of digits by their value, so
// that web-2 comes before web-10; all else by byte.
func NaturalCompare(a, b string) int {
	full := [2]string{a, b}
	for a != "" && b != "" {
		na, nb := digits(a), digits(b)
		if na == 0 || nb == 0 {
			if a[0] != b[0] {
				return cmp.Compare(a[0], b[0])
			}
			a, b = a[1:], b[1:]
			continue
		}
		va, vb := strings.TrimLeft(a[:na], "0"), strings.TrimLeft(b[:nb], "0")
		if c := cmp.Or(cmp.Compare(len(va), len(vb)), strings.Compare(va, vb)); c != 0 {
			return c
		}
		a, b = a[na:], b[nb:]
	}
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(full[0], full[1]))
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
