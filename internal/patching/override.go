package patching

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/baseline"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/logstore"
)

// maxOverride bounds what is read of a baseline override, in bytes.
const maxOverride = 4 << 20

// objects reads objects of S3, a *logstore.Store.
type objects interface {
	ReadObject(ctx context.Context, o logstore.Object, found func(), emit func([]byte) error) error
}

// CheckOverride reads the baselines that are to take the place of those of nodes,
// and returns a Usage fault when the object is not there, is no list of baselines, or
// has none for the operating system of some nodes, which are named: on those the
// document would do nothing. One that we may not read may be readable to the nodes:
// read is false then, and it is not checked.
func CheckOverride(ctx context.Context, from objects, o Options, nodes []fleet.Node) (read bool, err error) {
	at, ok := logstore.ParseObject(o.BaselineOverride)
	if !ok {
		return false, nil
	}
	op := "read the baseline override " + o.BaselineOverride
	var text bytes.Buffer
	err = from.ReadObject(ctx, at, nil, func(b []byte) error {
		if text.Len()+len(b) > maxOverride {
			return errTooLong
		}
		text.Write(b)
		return nil
	})
	switch {
	case errors.Is(err, logstore.ErrMissing) || fault.KindOf(err) == fault.NotFound:
		return false, fault.New(fault.Usage, op, "there is no such object").WithHint("check bucket and key: `aws s3 ls %s`", o.BaselineOverride)
	case errors.Is(err, errTooLong):
		return false, fault.New(fault.Usage, op, "it is longer than %d bytes", maxOverride)
	case err != nil:
		return false, ctx.Err()
	}
	var list []struct{ OperatingSystem string }
	if json.Unmarshal(text.Bytes(), &list) != nil || len(list) == 0 {
		return false, fault.New(fault.Usage, op, "it is no list of patch baselines").
			WithHint(`it is JSON like [{"OperatingSystem": "AMAZON_LINUX_2023", "ApprovalRules": …}]`)
	}
	var has, without []string
	for _, b := range list {
		has = append(has, strings.ToUpper(b.OperatingSystem))
	}
	for _, n := range nodes {
		if os := baseline.NodeOS(n.Platform, n.PlatformName, n.PlatformVersion); os != "" && !slices.Contains(has, os) {
			without = append(without, n.String()+", "+os)
		}
	}
	if len(without) > 0 {
		return true, fault.New(fault.Usage, op, "it has no baseline for the operating system of %s", strings.Join(without[:min(3, len(without))], "; ")+more(len(without)-3)).
			WithHint("it has baselines for %s; leave these nodes out or add theirs", strings.Join(slices.Compact(slices.Sorted(slices.Values(has))), ", "))
	}
	return true, nil
}

var errTooLong = errors.New("too long")
