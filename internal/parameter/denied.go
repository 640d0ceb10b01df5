package parameter

import (
	"context"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// hopeless is how many parameters in a row may be denied, from the first on, before the
// others are taken to be, too.
const hopeless = 30

// FindAllowed is FindValues for a caller who may not read all. The service refuses a call
// for ten values when one of them is denied, by a policy or by its key: such calls are
// repeated in halves, so that one does not hide nine others. Parameters that are denied
// come without a value, and a RemoteFailed error says how many and why; when none can be
// read it is the service's own error.
func (s *Service) FindAllowed(ctx context.Context, sel Selection, decrypt bool) ([]Parameter, error) {
	found, err := s.FindValues(ctx, sel, decrypt)
	if fault.KindOf(err) != fault.Auth || sel.public() {
		return found, err
	}
	refused := err
	if found, err = s.findNamed(ctx, sel); err != nil {
		return found, err
	}
	r := halving{s: s, decrypt: decrypt, values: map[string]Parameter{}}
	if sel.Label != "" {
		r.selector = ":" + sel.Label
	}
	for from := 0; from < len(found); from += namesACall {
		if err := r.read(ctx, found[from:min(from+namesACall, len(found))]); err != nil {
			return nil, err
		}
		if len(r.values) == 0 && len(r.denied) >= hopeless {
			return nil, refused
		}
	}
	if len(r.values) == 0 {
		return nil, refused
	}
	for i, p := range found {
		if v, ok := r.values[p.Name]; ok {
			found[i] = p.with(v)
			found[i].Selector = v.Selector
		}
	}
	if len(r.denied) > 0 {
		return found, fault.New(fault.RemoteFailed, "", "%d of %d values could not be read, the first %s: %w", len(r.denied), len(found), r.denied[0], r.cause)
	}
	return found, nil
}

// halving reads values in calls that get smaller around what is denied.
type halving struct {
	s        *Service
	decrypt  bool
	selector string
	values   map[string]Parameter
	denied   []string
	cause    error
}

func (h *halving) read(ctx context.Context, list []Parameter) error {
	names := make([]string, len(list))
	for i, p := range list {
		names[i] = p.Name + h.selector
	}
	got, _, err := h.s.values(ctx, names, h.decrypt)
	switch {
	case err == nil:
		for _, v := range got {
			h.values[v.Name] = v
		}
		return nil
	case fault.KindOf(err) != fault.Auth || ctx.Err() != nil:
		return err
	case len(list) == 1:
		if h.denied = append(h.denied, list[0].Name); h.cause == nil {
			h.cause = err
		}
		return nil
	}
	if err := h.read(ctx, list[:len(list)/2]); err != nil {
		return err
	}
	return h.read(ctx, list[len(list)/2:])
}
