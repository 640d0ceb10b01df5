package widget

import "strings"

// Search makes the filter of a list out of its columns: words that must occur
// somewhere in the row.
func Search(columns []Column) func(text string) (func(row int) bool, error) {
	return func(text string) (func(row int) bool, error) {
		words := strings.Fields(strings.ToLower(text))
		return func(row int) bool {
			var all strings.Builder
			for _, c := range columns {
				all.WriteString(strings.ToLower(c.Text(row)))
				all.WriteByte(' ')
			}
			for _, w := range words {
				if !strings.Contains(all.String(), w) {
					return false
				}
			}
			return true
		}, nil
	}
}
