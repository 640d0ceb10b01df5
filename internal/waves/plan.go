// Package waves does something to many nodes a few at a time: first to one, then
// to a tenth, then to more, and stops when too many have failed. It plans (pure),
// drives, and keeps a State that can be written down and taken up later. What is
// done to a wave, and how it is known to be well, are the caller's.
package waves

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// mostSizes is how many waves a plan may have.
const mostSizes = 20

// Size is how far a wave goes: so many of the nodes, or so many of a hundred,
// those of the waves before included.
type Size struct {
	N       int
	Percent bool
}

func (s Size) String() string {
	if s.Percent {
		return strconv.Itoa(s.N) + "%"
	}
	return strconv.Itoa(s.N)
}

const sizeForm = "write how far each wave goes, as in 1,10%,50%,100%"

// ParseSizes reads sizes separated by commas, the last of which is 100%. They
// must grow; a number and a percentage cannot be compared before the nodes are
// known, and the larger one counts then. Its errors are Usage faults.
func ParseSizes(s string) ([]Size, error) {
	var sizes []Size
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		digits, percent := strings.CutSuffix(part, "%")
		n, err := strconv.Atoi(digits)
		switch {
		case err != nil || n < 1:
			return nil, fault.Usagef("%q is not the size of a wave", part).WithHint("%s", sizeForm)
		case percent && n > 100:
			return nil, fault.Usagef("a wave of %s is more than all nodes", part).WithHint("%s", sizeForm)
		}
		for _, had := range sizes {
			if had.Percent == percent && had.N >= n {
				return nil, fault.Usagef("the wave %s does not go further than %s before it", part, had).WithHint("%s", sizeForm)
			}
		}
		sizes = append(sizes, Size{n, percent})
	}
	last := sizes[len(sizes)-1]
	if last != (Size{100, true}) {
		return nil, fault.Usagef("the waves end at %s and leave nodes out", last).WithHint("end with 100%%, as in %s,100%%", s)
	}
	if len(sizes) > mostSizes {
		return nil, fault.Usagef("%d waves are more than %d", len(sizes), mostSizes)
	}
	return sizes, nil
}

// Plan cuts ids into waves, in their order. A size that adds no node to the one
// before makes no wave.
func Plan(ids []string, sizes []Size) [][]string {
	var out [][]string
	done := 0
	for _, s := range sizes {
		to := s.N
		if s.Percent {
			to = (len(ids)*s.N + 99) / 100 // one node at least
		}
		if to = min(to, len(ids)); to > done {
			out = append(out, ids[done:to:to])
			done = to
		}
	}
	return out
}

// Limit is how many nodes may fail before no further wave is begun: a number, or
// a part of all nodes.
type Limit Size

// ParseLimit reads 0, 3 or 5%.
func ParseLimit(s string) (Limit, error) {
	digits, percent := strings.CutSuffix(strings.TrimSpace(s), "%")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 || percent && n > 100 {
		return Limit{}, fault.Usagef("%q is not a number of failures", s).WithHint("write a number or a percentage, as in 2 or 5%%")
	}
	return Limit{n, percent}, nil
}

// Of is the limit for so many nodes.
func (l Limit) Of(nodes int) int {
	if l.Percent {
		return nodes * l.N / 100
	}
	return l.N
}

// Describe says what the waves are: "4 waves of 1, 3, 16 and 20 nodes".
func Describe(waves [][]string) string {
	if len(waves) == 1 {
		return fmt.Sprintf("1 wave of %d", len(waves[0]))
	}
	words := make([]string, len(waves))
	for i, w := range waves {
		words[i] = strconv.Itoa(len(w))
	}
	last := len(words) - 1
	return fmt.Sprintf("%d waves of %s and %s", len(waves), strings.Join(words[:last], ", "), words[last])
}
