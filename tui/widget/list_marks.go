package widget

// Marked are the rows that are marked, in their order; hidden is how many of them
// do not fit the filter. The slice is shared: nobody changes it.
func (l *List) Marked() (rows []int, hidden int) {
	if len(l.marks) == 0 {
		return nil, 0
	}
	if l.marked == nil {
		l.marked = make([]int, 0, len(l.marks))
		for _, i := range l.order {
			if l.marks[l.keys[i]] {
				l.marked = append(l.marked, i)
			}
		}
		l.findHidden()
	}
	return l.marked, len(l.marked) - l.seen
}

// findHidden adds the marked rows that do not fit the filter.
func (l *List) findHidden() {
	l.seen = len(l.marked)
	if l.seen == len(l.marks) {
		return
	}
	shown := make(map[int]bool, l.seen)
	for _, i := range l.marked {
		shown[i] = true
	}
	for i := range l.n {
		if l.marks[l.keys[i]] && !shown[i] {
			l.marked = append(l.marked, i)
		}
	}
}

// Chosen are the rows an action is about: those marked, else the one under the
// cursor.
func (l *List) Chosen() []int {
	if rows, _ := l.Marked(); len(rows) > 0 {
		return rows
	}
	if row, ok := l.Current(); ok {
		return []int{row}
	}
	return nil
}

// ClearMarks drops all marks; false when there were none.
func (l *List) ClearMarks() bool {
	had := len(l.marks) > 0
	clear(l.marks)
	l.anchor, l.marked = "", nil
	return had
}

func (l *List) markKey(k string) bool {
	switch k {
	case "space":
		if row, ok := l.Current(); ok {
			l.mark(row, !l.marks[l.keys[row]])
			l.anchor = l.keys[row]
			l.move(l.cursor + 1)
		}
	case "*":
		l.markAll()
	case "shift+down", "shift+up":
		step := 1
		if k == "shift+up" {
			step = -1
		}
		l.markCurrent()
		l.move(l.cursor + step)
		l.markCurrent()
	case "ctrl+space":
		l.markRange()
	default:
		return false
	}
	return true
}

// markAll marks all rows that are shown, or none of them when all were.
func (l *List) markAll() {
	all := true
	for _, i := range l.order {
		all = all && l.marks[l.keys[i]]
	}
	for _, i := range l.order {
		l.mark(i, !all)
	}
}

// markRange marks from where the last mark was set to the cursor.
func (l *List) markRange() {
	from := l.find(l.anchor)
	if from < 0 {
		from = l.cursor
		l.anchor = l.at
	}
	for at := min(from, l.cursor); at <= max(from, l.cursor) && at < len(l.order); at++ {
		l.mark(l.order[at], true)
	}
}

func (l *List) markCurrent() {
	if row, ok := l.Current(); ok {
		l.mark(row, true)
	}
}

func (l *List) mark(row int, on bool) {
	l.marked = nil
	if on {
		l.marks[l.keys[row]] = true
	} else {
		delete(l.marks, l.keys[row])
	}
}
