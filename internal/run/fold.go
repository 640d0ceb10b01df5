package run

import "slices"

// Fold puts commands that were sent as one run together, as Service.Runs does with
// what it lists: the newest first. A run whose commands are not all there is
// summed over those that are.
func Fold(commands []Command) []Run {
	at := make(map[string]int, len(commands))
	runs := make([]Run, 0, len(commands))
	for _, c := range commands {
		i, ok := at[c.RunID]
		if !ok || c.RunID == "" {
			i = len(runs)
			at[c.RunID] = i
			runs = append(runs, Run{ID: c.RunID})
		}
		runs[i].Commands = append(runs[i].Commands, c)
	}
	for i, r := range runs {
		runs[i] = r.sum()
	}
	slices.SortStableFunc(runs, func(x, y Run) int { return y.Requested.Compare(x.Requested) })
	return runs
}
