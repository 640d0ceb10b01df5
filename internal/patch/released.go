package patch

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// catalogue tells of patches what scans do not; *baseline.Service does.
type catalogue interface {
	Enrich(ctx context.Context, os, product string, patches []baseline.Patch) error
}

// product is a product of an operating system, in the words of baselines.
type product struct{ os, name string }

// Released adds to tallies by patch when each was released, as far as the service's
// catalogue tells. It returns how many are not told.
func Released(ctx context.Context, from catalogue, tallies []Tally, nodes []NodePatches) (untold int, err error) {
	asked := map[product]map[string]Patch{}
	for _, n := range nodes {
		of := productOf(n.Row)
		if of.os == "" {
			continue
		}
		if asked[of] == nil {
			asked[of] = map[string]Patch{}
		}
		for _, p := range n.Patches {
			asked[of][p.key()] = p
		}
	}
	products := slices.SortedFunc(maps.Keys(asked), func(a, b product) int {
		return cmp.Or(strings.Compare(a.os, b.os), strings.Compare(a.name, b.name))
	})
	var mu sync.Mutex
	released := map[string]time.Time{}
	err = awsapi.Parallel(ctx, len(products), func(ctx context.Context, i int) error {
		keys := slices.Sorted(maps.Keys(asked[products[i]]))
		list := make([]baseline.Patch, len(keys))
		for j, key := range keys {
			p := asked[products[i]][key]
			list[j] = baseline.FromScan(p.ID, p.Title, p.Classification, p.Severity, p.CVEs)
		}
		err := from.Enrich(ctx, products[i].os, products[i].name, list)
		switch {
		case fault.KindOf(err) == fault.Usage: // a product that the service does not know
			return nil
		case err != nil:
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for j, key := range keys {
			if at := list[j].Released; !at.IsZero() {
				released[key] = at
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	for i := range tallies {
		t := &tallies[i]
		if t.Released = released[Patch{ID: t.Key, Title: t.Title}.key()]; t.Released.IsZero() {
			untold++
		}
	}
	return untold, nil
}

// key tells a version of a patch from others.
func (p Patch) key() string { return p.ID + "\x00" + p.Title }

// productOf is what a node runs; the version ends the name of its system.
func productOf(r Row) product {
	version := r.System[strings.LastIndexByte(r.System, ' ')+1:]
	os := baseline.NodeOS(r.Platform, r.System, version)
	return product{os, baseline.NodeProduct(os, r.System, version)}
}
