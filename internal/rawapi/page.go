package rawapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/untyped"
)

// Paging says how much of a long answer is wanted.
type Paging struct {
	Size  int    // items a page; 0: as many as the service gives
	Max   int    // items in all; 0: all
	Start string // where to go on: the NextToken of an earlier Result

	// Each, when set, gets the items of every page as a JSON array as it arrives,
	// and Result has no Answer. An error ends the paging and is returned.
	Each func(items json.RawMessage) error
}

// Result is what came of an operation with pages.
type Result struct {
	// Answer is the first page's with the lists of all pages. Its NextToken, when
	// there is one, says that there is more.
	Answer json.RawMessage
	Items  int
	Pages  int
	Next   string // where to go on; "" at the end
}

// pager follows one request's pages.
type pager struct {
	s     *Service
	r     *Request
	o     Paging
	res   Result
	first reflect.Value // the output that grows
}

// All fetches page after page. When one fails, Result holds what came before it,
// with the token to go on, and the error says how much that is.
func (s *Service) All(ctx context.Context, r *Request, o Paging) (Result, error) {
	if !r.Operation.Paged() {
		return Result{}, fault.Usagef("%s has no pages", r.Operation.Kebab)
	}
	skip := r.Page(o)
	if err := r.Check(); err != nil {
		return Result{}, err
	}
	p := &pager{s: s, r: r, o: o}
	token, err := p.run(ctx, skip)
	p.res.Next = token
	if p.first.IsValid() && o.Each == nil {
		setToken(p.first, token)
		var encodeErr error
		if p.res.Answer, encodeErr = encode(p.first.Interface()); encodeErr != nil && err == nil {
			err = fault.New(fault.Failed, r.Operation.Kebab, "%w", encodeErr)
		}
	}
	return p.res, err
}

// Page sets the fields of the request that say which page is wanted: where it
// begins and how long it may be. It returns how many items at its beginning are
// not.
func (r *Request) Page(o Paging) (skip int) {
	token, skip := parseToken(o.Start)
	if token != "" {
		r.Set("NextToken", token)
	}
	r.pageSize(o)
	return skip
}

// run returns the token of what was not fetched, "" when that is nothing.
func (p *pager) run(ctx context.Context, skip int) (token string, err error) {
	token = *stringAt(p.r.input, "NextToken")
	for {
		out, err := p.s.send(ctx, p.r)
		if err != nil {
			return joinToken(token, skip), p.broken(err)
		}
		next := *stringAt(out, "NextToken")
		lists := listsOf(out, p.r.Operation.Items)
		skipped := min(skip, size(lists)) // pages may be shorter than when the token was made
		cut(lists, skipped, -1)
		p.res.Pages++
		n := size(lists)
		rest := p.o.Max - p.res.Items
		full := p.o.Max > 0 && n > rest
		if full {
			cut(lists, 0, rest)
			n = rest
		}
		if err := p.take(out, lists); err != nil {
			return joinToken(token, skip), err
		}
		p.res.Items += n
		switch {
		case full:
			return joinToken(token, skipped+n), nil
		case next == "":
			return "", nil
		case p.o.Max > 0 && p.res.Items == p.o.Max:
			return joinToken(next, skip-skipped), nil
		case next == token:
			return token, p.broken(fault.New(fault.Failed, p.r.Operation.Kebab, "the service gave the same page token twice"))
		}
		token, skip = next, skip-skipped
		p.r.Set("NextToken", token)
	}
}

// take keeps or hands on the items of a page.
func (p *pager) take(out reflect.Value, lists []reflect.Value) error {
	if p.o.Each != nil {
		items, err := encodeItems(lists)
		if err != nil {
			return fault.New(fault.Failed, p.r.Operation.Kebab, "%w", err)
		}
		return p.o.Each(items)
	}
	if !p.first.IsValid() {
		p.first = out
		return nil
	}
	for i, all := range listsOf(p.first, p.r.Operation.Items) {
		grow(all, lists[i])
	}
	return nil
}

// broken says how much came before a page that did not.
func (p *pager) broken(err error) error {
	if p.res.Pages == 0 {
		return err
	}
	return &fault.Error{
		Kind: fault.KindOf(err), Op: p.r.Operation.Kebab, Hint: fault.HintOf(err),
		Err: &brokenOff{items: p.res.Items, pages: p.res.Pages, err: err},
	}
}

// brokenOff is the error of a list of which a part came.
type brokenOff struct {
	items, pages int
	err          error
}

func (b *brokenOff) Error() string {
	text := b.err.Error()
	if e, ok := b.err.(*fault.Error); ok && e.Err != nil { //nolint:errorlint // without its Op, which is told once
		text = e.Err.Error()
	}
	return fmt.Sprintf("the list broke off after %d items on page %d: %s", b.items, b.pages, text)
}
func (b *brokenOff) Unwrap() error { return b.err }

// pageSize asks for pages as large as wanted and allowed, unless the request says
// what it wants.
func (r *Request) pageSize(o Paging) {
	f := r.Operation.Field("MaxResults")
	if f == nil || r.given[f.Name] && o.Size == 0 {
		return
	}
	n := int64(o.Size)
	if n == 0 {
		if f.Max == nil {
			return
		}
		n = *f.Max
		if o.Max > 0 {
			n = min(n, int64(o.Max))
		}
	}
	if f.Min != nil {
		n = max(n, *f.Min)
	}
	if f.Max != nil {
		n = min(n, *f.Max)
	}
	r.setField(f, f.Name, untyped.Word(strconv.FormatInt(n, 10)))
}

// stringAt returns a text of an input or output struct, or a pointer to "".
func stringAt(v reflect.Value, field string) *string {
	f := v.FieldByName(field)
	if !f.IsValid() || f.Kind() != reflect.Pointer || f.IsNil() {
		return new(string)
	}
	s, ok := f.Interface().(*string)
	if !ok {
		return new(string)
	}
	return s
}

func setToken(out reflect.Value, token string) {
	f := out.FieldByName("NextToken")
	if token == "" {
		f.SetZero()
		return
	}
	f.Set(reflect.ValueOf(&token))
}

// listsOf returns the lists (one is a map) of an output at the paths, which are
// settable. A list within a structure that is not there is an invalid value.
func listsOf(out reflect.Value, paths []string) []reflect.Value {
	lists := make([]reflect.Value, len(paths))
	for i, path := range paths {
		v := out
		for name := range strings.SplitSeq(path, ".") {
			if v = reflect.Indirect(v); v.IsValid() {
				v = v.FieldByName(name)
			}
		}
		lists[i] = v
	}
	return lists
}

// size is how many items lists hold: several go side by side.
func size(lists []reflect.Value) int {
	n := 0
	for _, l := range lists {
		if l.IsValid() {
			n = max(n, l.Len())
		}
	}
	return n
}

// cut leaves away the first skip items, and all behind the first keep, unless that
// is negative. Those of a map are in the order of their keys.
func cut(lists []reflect.Value, skip, keep int) {
	for _, l := range lists {
		if !l.IsValid() {
			continue
		}
		from := min(skip, l.Len())
		to := l.Len()
		if keep >= 0 {
			to = min(from+keep, to)
		}
		switch {
		case l.Kind() == reflect.Slice && !l.IsNil():
			l.Set(l.Slice(from, to))
		case l.Kind() == reflect.Map:
			keys := l.MapKeys()
			slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
			for i, k := range keys {
				if i < from || i >= to {
					l.SetMapIndex(k, reflect.Value{})
				}
			}
		}
	}
}

// grow adds the items of more to all.
func grow(all, more reflect.Value) {
	switch {
	case !all.IsValid() || !more.IsValid() || more.Len() == 0:
	case all.Kind() == reflect.Slice:
		all.Set(reflect.AppendSlice(all, more))
	case all.IsNil():
		all.Set(more)
	default:
		for _, k := range more.MapKeys() {
			all.SetMapIndex(k, more.MapIndex(k))
		}
	}
}

// encodeItems returns the items of a page as one JSON array: of the first list that
// has any, as side by side they tell the same things.
func encodeItems(lists []reflect.Value) (json.RawMessage, error) {
	for _, l := range slices.Backward(lists) {
		if l.IsValid() && l.Len() > 0 {
			data, err := encode(l.Interface())
			if err == nil && l.Kind() == reflect.Map {
				data = append(append([]byte("["), data...), ']')
			}
			return data, err
		}
	}
	return json.RawMessage("[]"), nil
}

// A token of ours says where in a page to go on. It is that of the AWS CLI, so that
// either program can go on where the other stopped.
type token struct {
	NextToken *string `json:"NextToken"`
	Skip      int     `json:"boto_truncate_amount"`
}

func joinToken(next string, skip int) string {
	if skip == 0 {
		return next
	}
	t := token{Skip: skip}
	if next != "" {
		t.NextToken = &next
	}
	data, err := json.Marshal(t)
	if err != nil {
		return next // a text and a number can always be encoded
	}
	return base64.StdEncoding.EncodeToString(data)
}

// parseToken splits a token of ours; any other is the service's own.
func parseToken(s string) (next string, skip int) {
	data, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return s, 0
	}
	var t token
	if err := json.Unmarshal(data, &t); err != nil || t.Skip <= 0 {
		return s, 0
	}
	if t.NextToken == nil {
		return "", t.Skip
	}
	return *t.NextToken, t.Skip
}

// ItemsOf returns the list in an operation's answer that table rows are made of, nil
// when it has none.
func (o *Operation) ItemsOf(answer json.RawMessage) json.RawMessage {
	for _, path := range slices.Backward(o.Items) {
		at := answer
		for name := range strings.SplitSeq(path, ".") {
			var fields map[string]json.RawMessage
			if json.Unmarshal(at, &fields) != nil {
				at = nil
				break
			}
			at = fields[name]
		}
		if len(at) > 0 {
			if at[0] == '{' {
				at = append(append(json.RawMessage("["), at...), ']')
			}
			return at
		}
	}
	return nil
}
