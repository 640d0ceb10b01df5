package commands

import (
	"iter"

	"github.com/ssmdeck/ssmdeck/internal/render"
)

// writeSeq prints a list as it comes.
func writeSeq[T any](env *Env, table func(render.Options) render.Table[T], o render.Options, rows iter.Seq2[T, error]) error {
	return table(o).Write(env.Out, o, rows)
}

// writeList prints a list that is there.
func writeList[T any](env *Env, table func(render.Options) render.Table[T], o render.Options, rows []T) error {
	return writeSeq(env, table, o, each(rows))
}

// each yields rows that are there.
func each[T any](rows []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}
