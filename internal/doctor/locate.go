package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/network"
	"github.com/ssmdeck/ssmdeck/internal/wait"
)

// Elsewhere reports whether another Region knows a machine.
type Elsewhere func(ctx context.Context, region, id string) (bool, error)

// Locate returns the id of the machine that a word names: a node that Systems
// Manager knows, else an instance that EC2 knows. An id that neither knows is
// looked for in the other Regions of the account. The error is NotFound, and says
// where was looked.
func (s *Service) Locate(ctx context.Context, word string, elsewhere Elsewhere) (string, error) {
	t, err := fleet.ParseTarget(word)
	switch {
	case err != nil:
		return "", err
	case t.Kind == fleet.KindECS:
		return "", fault.Usagef("%s is a container: doctor examines machines", word).WithHint("name an instance or a hybrid node")
	case t.Kind == fleet.KindID:
		return t.Value, s.locateID(ctx, t.Value, elsewhere)
	}
	n, err := s.fleet.Find(ctx, word)
	var ambiguous *fleet.Ambiguous
	if err == nil {
		return n.ID, nil
	}
	if kind := fault.KindOf(err); errors.As(err, &ambiguous) || kind != fault.NotFound && kind != fault.Auth {
		return "", err
	}
	return s.locateName(ctx, word, err)
}

// locateName finds an instance by its name or address, when Systems Manager
// knows no such node: unknown is its error.
func (s *Service) locateName(ctx context.Context, word string, unknown error) (string, error) {
	found, err := s.ec2.Named(ctx, word)
	switch {
	case err != nil: // the first error says more
		return "", unknown
	case len(found) == 1:
		return found[0].ID, nil
	case len(found) > 1:
		var ids []string
		for _, m := range found {
			ids = append(ids, fmt.Sprintf("%s %s", m.ID, m.State))
		}
		return "", fault.New(fault.NotFound, "find "+word, "%d instances of EC2 fit: %s", len(found), strings.Join(ids, ", ")).
			WithHint("use the id, for example %s", found[0].ID)
	case fault.KindOf(unknown) == fault.Auth:
		return "", unknown
	}
	return "", fault.New(fault.NotFound, "find "+word, "neither a node of Systems Manager nor an instance of EC2 in %s has this name or address", s.region).
		WithHint("%s", orElse(fault.HintOf(unknown), "`ssmdeck ls` lists the nodes; check --region"))
}

// partitionOf is the partition of a Region.
func partitionOf(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// locateID makes sure that somebody knows the id. What may not be read counts as
// known: the checks will say so.
func (s *Service) locateID(ctx context.Context, id string, elsewhere Elsewhere) error {
	_, err := s.fleet.Get(ctx, id)
	if fault.KindOf(err) != fault.NotFound || err == nil {
		return nil
	}
	hybrid := strings.HasPrefix(id, "mi-")
	if !hybrid {
		if _, ok, err := s.ec2.Machine(ctx, id); ok || err != nil {
			return nil //nolint:nilerr // denied: a check says it
		}
	}
	regions, listed := s.ec2.EnabledRegions(ctx)
	if listed != nil {
		regions = network.DefaultRegions(partitionOf(s.region))
	}
	there, looked, failed := s.lookAround(ctx, id, regions, elsewhere)
	if err := ctx.Err(); err != nil {
		return err
	}
	if there != "" {
		return fault.New(fault.NotFound, "find "+id, "it is in %s, not in %s", there, s.region).
			WithHint("run `ssmdeck doctor %s --region %s`", id, there)
	}
	who := "neither Systems Manager nor EC2 knows it"
	if hybrid {
		who = "Systems Manager does not know it: it was deregistered, or is of another account"
	}
	e := fault.New(fault.NotFound, "find "+id, "%s; looked in %s%s", who, strings.Join(looked, ", "), failed)
	switch {
	case listed != nil:
		return e.WithHint("check --profile; Regions that the account had to ask for could not be listed")
	case hybrid:
		return e.WithHint("check --profile; register the machine again with `ssmdeck activation create`")
	}
	return e.WithHint("check the id and --profile")
}

// lookFor is how long a Region may take to say whether it knows a machine: one that
// hangs must not keep the answer of the others.
const lookFor = 15 * time.Second

// lookAround asks all other Regions at once, until one knows the machine. failed
// names those that could not be asked.
func (s *Service) lookAround(ctx context.Context, id string, regions []string, elsewhere Elsewhere) (there string, looked []string, failed string) {
	looked = []string{s.region}
	if elsewhere == nil {
		return "", looked, ""
	}
	var (
		group wait.Group
		mu    sync.Mutex
		not   []string
		found = make([]bool, len(regions))
		asked = make([]bool, len(regions))
		turn  = make(chan struct{}, atOnce)
	)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for i, r := range regions {
		if r == s.region {
			continue
		}
		turn <- struct{}{}
		group.Go(func() {
			defer func() { <-turn }()
			ctx, cancel := context.WithTimeout(ctx, lookFor)
			defer cancel()
			ok, err := elsewhere(ctx, r, id)
			mu.Lock()
			defer mu.Unlock()
			if ok {
				stop()
			}
			if found[i], asked[i] = ok, err == nil; err != nil {
				not = append(not, r)
			}
		})
	}
	group.Wait()
	for i, r := range regions {
		if found[i] {
			return r, looked, ""
		}
		if asked[i] {
			looked = append(looked, r)
		}
	}
	if len(not) > 0 {
		failed = "; could not look in " + strings.Join(not, ", ")
	}
	return "", looked, failed
}
