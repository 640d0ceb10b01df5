package render

// Wrap makes a table of R from one of T, of which every R holds one: its columns
// behind those in front.
func Wrap[T, R any](t Table[T], value func(R) T, front ...Column[R]) Table[R] {
	w := Table[R]{Empty: t.Empty, Columns: front}
	if t.ID != nil {
		w.ID = func(r R) string { return t.ID(value(r)) }
	}
	for _, c := range t.Columns {
		made := Column[R]{Name: c.Name, Wide: c.Wide, Asked: c.Asked, ID: c.ID, Right: c.Right, exact: c.exact}
		made.Text = func(r R) string { return c.Text(value(r)) }
		if c.Human != nil {
			made.Human = func(r R) string { return c.Human(value(r)) }
		}
		if c.Less != nil {
			made.Less = func(a, b R) bool { return c.Less(value(a), value(b)) }
		}
		w.Columns = append(w.Columns, made)
	}
	return w
}
