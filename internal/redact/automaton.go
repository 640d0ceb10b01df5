package redact

import "encoding/binary"

// maxBytes bounds the forms of all secrets together; the automaton has at most as many
// states, of some 24 bytes.
const maxBytes = 16 << 20

// maxRows is how many states have a row for every byte: those near the root, where a
// text that holds no secret keeps the automaton.
const maxRows = 1 << 10

// automaton finds many strings in one pass over a text (Aho and Corasick, 1975). States
// are numbered by their depth. A state means: the text so far ends with this prefix of
// a string, and with no longer one.
type automaton struct {
	rows [][256]int32 // the next state, of the first states

	// Of each state; the edges of one are a list over child and sibling.
	label          []byte
	child, sibling []int32
	fail           []int32 // the longest suffix that is a state, too
	depth          []int32
	out            []int32 // the longest string that ends here, 0: none
	length         []int32 // of each string; strings are numbered from 1

	first *beginnings // nil: some strings are too short for it
}

// newAutomaton returns one for patterns, none of which is empty. When one is there
// twice, the first counts.
func newAutomaton(patterns []string) *automaton {
	t := trie{label: []byte{0}, child: []int32{0}, sibling: []int32{0}, out: []int32{0}}
	a := &automaton{length: []int32{0}}
	for i, p := range patterns {
		t.add(p, int32(i+1))
		a.length = append(a.length, int32(len(p)))
	}
	a.first = newBeginnings(patterns)
	a.number(&t)
	a.link()
	return a
}

// trie is what the automaton is made of: states in the order in which they came.
type trie struct {
	label               []byte
	child, sibling, out []int32
}

func (t *trie) add(pattern string, number int32) {
	at := int32(0)
	for i := range len(pattern) {
		next := t.child[at]
		for next != 0 && t.label[next] != pattern[i] {
			next = t.sibling[next]
		}
		if next == 0 {
			next = int32(len(t.label))
			t.label, t.child, t.sibling, t.out = append(t.label, pattern[i]), append(t.child, 0), append(t.sibling, t.child[at]), append(t.out, 0)
			t.child[at] = next
		}
		at = next
	}
	if t.out[at] == 0 {
		t.out[at] = number
	}
}

// number copies a trie with its states in order of depth.
func (a *automaton) number(t *trie) {
	n := len(t.label)
	a.label, a.child, a.sibling = make([]byte, n), make([]int32, n), make([]int32, n)
	a.fail, a.depth, a.out = make([]int32, n), make([]int32, n), make([]int32, n)
	queue := make([]int32, 1, n) // old numbers; the place in it is the new one
	for at := int32(0); int(at) < len(queue); at++ {
		old := queue[at]
		a.label[at], a.out[at] = t.label[old], t.out[old]
		for c := t.child[old]; c != 0; c = t.sibling[c] {
			next := int32(len(queue))
			queue = append(queue, c)
			a.depth[next], a.sibling[next], a.child[at] = a.depth[at]+1, a.child[at], next
		}
	}
}

// link sets fail, what ends by it, and the rows.
func (a *automaton) link() {
	for at := range int32(len(a.label)) {
		for c := a.child[at]; c != 0; c = a.sibling[c] {
			if at != 0 {
				a.fail[c] = a.step(a.fail[at], a.label[c])
			}
			if a.out[c] == 0 {
				a.out[c] = a.out[a.fail[c]]
			}
		}
		if at < maxRows {
			var row [256]int32
			if at != 0 {
				row = a.rows[a.fail[at]] // it is nearer to the root, and so has one
			}
			for c := a.child[at]; c != 0; c = a.sibling[c] {
				row[a.label[c]] = c
			}
			a.rows = append(a.rows, row)
		}
	}
}

// step is the state after one more byte.
func (a *automaton) step(state int32, b byte) int32 {
	for int(state) >= len(a.rows) {
		for c := a.child[state]; c != 0; c = a.sibling[c] {
			if a.label[c] == b {
				return c
			}
		}
		state = a.fail[state]
	}
	return a.rows[state][b]
}

// open is how many of the last bytes may be the beginning of a string that goes on.
func (a *automaton) open(state int32) int64 {
	for state != 0 && a.child[state] == 0 {
		state = a.fail[state]
	}
	return int64(a.depth[state])
}

// prune leaves a state for a shorter one while the bytes after its own say that no
// string goes on so. i is how many bytes of p have been taken.
func (a *automaton) prune(state int32, p []byte, i int) int32 {
	for state != 0 {
		d := int(a.depth[state])
		if start := i - d; d >= beginning || start < 0 || start+beginning > len(p) || a.first.has(p[start:]) {
			break
		}
		state = a.fail[state]
	}
	return state
}

// beginning is how many bytes of a string its hash is of.
const beginning = 4

// beginnings is a set of the first bytes of strings, by hashes: what is not in it
// begins none of them.
type beginnings [1 << 10]uint64

func newBeginnings(patterns []string) *beginnings {
	s := new(beginnings)
	for _, p := range patterns {
		if len(p) < beginning {
			return nil
		}
		h := hashOf([]byte(p[:beginning]))
		s[h>>6] |= 1 << (h & 63)
	}
	return s
}

func hashOf(p []byte) uint32 { return binary.LittleEndian.Uint32(p) * 2654435761 >> 16 }

func (s *beginnings) has(p []byte) bool {
	h := hashOf(p)
	return s[h>>6&(1<<10-1)]&(1<<(h&63)) != 0
}

// next is the first place in p, from i on, where a string may begin; near the end of p
// that is every place.
func (s *beginnings) next(p []byte, i int) int {
	for i+beginning <= len(p) && !s.has(p[i:]) {
		i++
	}
	return i
}
