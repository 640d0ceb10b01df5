package baseline

import (
	"context"
	"maps"
	"slices"
	"strings"
)

// Products lists the products of an operating system that the service has patches
// for.
func (s *Service) Products(ctx context.Context, os string) ([]string, error) {
	var out []string
	for p, err := range s.Properties(ctx, os, "PRODUCT", "") {
		if err != nil {
			return nil, err
		}
		if name := p["Name"]; name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out, nil
}

// Narrow returns the products that a baseline's rules name, nil when one of them
// takes any: the catalogue need not be read for others.
func (b *Baseline) Narrow() []string {
	if len(b.Approve) > 0 || len(b.Reject) > 0 {
		return nil
	}
	var out []string
	for _, r := range b.Rules {
		i := slices.IndexFunc(r.Filters, func(f Filter) bool { return f.Key == "PRODUCT" })
		if i < 0 || slices.Contains(r.Filters[i].Values, Any) {
			return nil
		}
		out = append(out, r.Filters[i].Values...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Catalogue reads the patches of some products of an operating system, of all when
// there are none; q may narrow it further.
func (s *Service) Catalogue(ctx context.Context, os string, products []string, q CatalogueQuery) ([]Patch, error) {
	if len(products) == 0 && os != "WINDOWS" {
		var err error
		if products, err = s.Products(ctx, os); err != nil || len(products) == 0 {
			return nil, err
		}
	}
	var out []Patch
	read := func(q CatalogueQuery) error {
		for p, err := range s.Available(ctx, q) {
			if err != nil {
				return err
			}
			out = append(out, p)
		}
		return nil
	}
	if len(products) == 0 {
		return out, read(q)
	}
	for chunk := range slices.Chunk(products, maxQueryValues) {
		if err := read(q.with("PRODUCT", chunk)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (q CatalogueQuery) with(key string, values []string) CatalogueQuery {
	out := CatalogueQuery{key: values}
	for k, v := range q {
		out[k] = v
	}
	return out
}

// Enrich fills in what scans do not say of the patches of a node - release dates,
// advisories, repositories - from the catalogue, a call for 10 of them. Patches that
// it does not have stay as they are. product is the node's.
func (s *Service) Enrich(ctx context.Context, os, product string, patches []Patch) error {
	if len(patches) == 0 {
		return nil
	}
	key, query := "NAME", CatalogueQuery{}
	listed, err := s.CatalogueProduct(ctx, os, product)
	switch {
	case err != nil:
		return err
	case os == "WINDOWS":
		key = "PATCH_ID"
	case product == "":
		return nil
	default:
		query["PRODUCT"] = []string{listed}
	}
	var names []string
	for _, p := range patches {
		name := p.Name
		if os == "WINDOWS" {
			name = p.ID
		}
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	known := map[string][]Patch{}
	for chunk := range slices.Chunk(names, maxQueryValues/2) {
		if os == "WINDOWS" {
			chunk = kbForms(chunk)
		}
		for p, err := range s.Available(ctx, query.with(key, chunk)) {
			if err != nil {
				return err
			}
			known[p.ID] = append(known[p.ID], p)
			if p.Name != "" && p.Arch != "" { // scans of Debian's kin tell no architecture
				known[p.Name] = append(known[p.Name], p)
			}
		}
	}
	for i := range patches {
		patches[i] = patches[i].merged(known[patches[i].ID], listed)
		if product != "" && os != "WINDOWS" {
			patches[i].Product = product
		}
	}
	return nil
}

// kbForms writes KB numbers in the two forms that there are, since the API reference
// shows one and answers of the service hold both.
func kbForms(numbers []string) (out []string) {
	for _, n := range numbers {
		out = append(out, n)
		if plain := strings.TrimPrefix(n, "KB"); plain != n {
			out = append(out, plain)
		}
	}
	return out
}

// CatalogueProduct is the name under which the catalogue has the product of a node:
// some are there by their major version only. It is the product itself when there is
// none.
func (s *Service) CatalogueProduct(ctx context.Context, os, product string) (string, error) {
	if product == "" {
		return "", nil
	}
	names, err := s.Products(ctx, os)
	if err != nil {
		return "", err
	}
	for _, name := range []string{product, product + ".0"} { // AmazonLinux2 has both names
		if slices.Contains(names, name) {
			return name, nil
		}
	}
	for at := strings.LastIndexByte(product, '.'); at > 0; at = strings.LastIndexByte(product[:at], '.') {
		if slices.Contains(names, product[:at]) {
			return product[:at], nil
		}
	}
	return product, nil
}

// Of marks patches of the catalogue as those of a node's product, which may be more
// exact than the catalogue is.
func Of(product string, list []Patch) []Patch {
	for i := range list {
		if product != "" {
			list[i].Product = product
		}
	}
	return list
}

// merged takes over what the catalogue says of the same version of a patch; of
// Windows, of the product of the node before others.
func (p Patch) merged(known []Patch, product string) Patch {
	best := -1
	for i, k := range known {
		if p.Arch == "" {
			k.Arch = ""
		}
		same := p.Version == "" || k.Key() == p.Key()
		if same && (best < 0 || k.Product == product && known[best].Product != product) {
			best = i
		}
	}
	if best < 0 {
		if p.Product == "" {
			p.Product = product
		}
		return p
	}
	k := known[best]
	k.ID = p.ID
	if k.Severity == "" {
		k.Severity = p.Severity
	}
	if k.Classification == "" {
		k.Classification = p.Classification
	}
	if len(k.CVEs) == 0 {
		k.CVEs = p.CVEs
	}
	if k.Title == "" || p.Name != "" {
		k.Title = p.Title
	}
	return k
}

// Search finds what a word names in the catalogue: a KB number, a CVE, an advisory or
// a package of the product; of a package the newest version that fits.
func (s *Service) Search(ctx context.Context, os, product, word string) ([]Patch, error) {
	node := product
	product, err := s.CatalogueProduct(ctx, os, node)
	if err != nil {
		return nil, err
	}
	query := CatalogueQuery{}
	upper := strings.ToUpper(word)
	cve := cvePattern().MatchString(upper)
	switch {
	case os == "WINDOWS" && cve: // no filter of Windows is for CVEs
		if product != "" {
			query["PRODUCT"] = []string{product}
		}
	case os == "WINDOWS":
		query["PATCH_ID"] = kbForms([]string{upper})
	case product == "":
		return nil, nil
	default:
		query["PRODUCT"] = []string{product}
		switch {
		case cve:
			query["CVE_ID"] = []string{upper}
		case strings.Contains(upper, "ALAS") || strings.Contains(upper, "SA-") || strings.Contains(upper, "BA-"):
			query["ADVISORY_ID"] = []string{word}
		default:
			name, _, _ := strings.Cut(word, ":")
			if i := strings.LastIndexByte(name, '.'); i > 0 && arches[name[i+1:]] {
				name = name[:i]
			}
			query["NAME"] = []string{name}
		}
	}
	newest := map[string]Patch{}
	for p, err := range s.Available(ctx, query) {
		switch {
		case err != nil:
			return nil, err
		case !p.MatchID(word), os == "WINDOWS" && product != "" && p.Product != "" && p.Product != product:
		case newest[p.ID].ID == "" || p.Released.After(newest[p.ID].Released):
			newest[p.ID] = p
		}
	}
	var out []Patch
	for _, id := range slices.Sorted(maps.Keys(newest)) {
		out = append(out, newest[id])
	}
	if os != "WINDOWS" {
		out = Of(node, out)
	}
	return out, nil
}
