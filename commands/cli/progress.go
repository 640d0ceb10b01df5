package cli

import (
	"sync"

	"github.com/ssmdeck/ssmdeck/internal/render"
)

// Counted shows how much of some work is done, which may be told out of order. Where
// several scopes are read it tells nothing: there is one bar on the screen. end takes
// the bar away.
func (e *Env) Counted(label string) (told func(done, total int), end func(), err error) {
	if e.Placed() != nil {
		return nil, func() {}, nil
	}
	progress, err := e.Progress()
	if err != nil {
		return nil, nil, err
	}
	var mu sync.Mutex
	most, of := 0, 0
	return func(done, total int) {
		mu.Lock()
		defer mu.Unlock()
		if total != of { // another part of the work
			most, of = 0, total
		}
		most = max(most, done)
		progress.Set(render.Status{Label: label, Done: int64(most), Total: int64(total)})
	}, progress.Close, nil
}
