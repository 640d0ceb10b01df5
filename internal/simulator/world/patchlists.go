package world

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/ssmdeck/ssmdeck/internal/simulator/patches"
)

// object reads what an order names by the URL of an object in S3.
func (j *patchJob) object(what, url string) ([]byte, error) {
	bucket, key, ok := s3Location(url)
	if !ok {
		return nil, fmt.Errorf("%s %q is not an S3 URL", what, url)
	}
	o, ok := j.Object(bucket, key)
	if !ok {
		return nil, fmt.Errorf("unable to download the %s: an error occurred (404) when calling the GetObject operation: %s is not there", what, url)
	}
	return o.Data, nil
}

// s3Location takes s3://bucket/key and https://s3.region.amazonaws.com/bucket/key
// apart, and https://bucket.s3.region.amazonaws.com/key.
func s3Location(url string) (bucket, key string, ok bool) {
	rest, plain := strings.CutPrefix(url, "s3://")
	if !plain {
		if rest, ok = strings.CutPrefix(url, "https://"); !ok {
			return "", "", false
		}
		host, path, _ := strings.Cut(rest, "/")
		if name, _, own := strings.Cut(host, ".s3"); own {
			return name, path, path != ""
		}
		rest = path
	}
	bucket, key, ok = strings.Cut(rest, "/")
	return bucket, key, ok && bucket != "" && key != ""
}

// listedPatch is an entry of a list of patches to install: the forms of lists of
// baselines, and on Linux the versions that are wanted.
type listedPatch struct{ ID, Title string }

func (l listedPatch) names(p *patches.Patch) bool {
	if !patches.Listed([]string{l.ID}, p) {
		return false
	}
	if l.Title == "" || p.KB() != "" {
		return true
	}
	version := p.Version()
	if p.Release() != "" {
		version += "-" + p.Release()
	}
	return patches.Glob(l.Title, version) || patches.Glob(l.Title, fmt.Sprintf("%d:%s", p.Epoch(), version))
}

// readList reads the list of patches that the order names.
func (j *patchJob) readList() error {
	if j.order.overrideList == "" {
		return nil
	}
	data, err := j.object("install override list", j.order.overrideList)
	if err != nil {
		return err
	}
	var in struct {
		Patches []struct {
			ID    string `yaml:"id"`
			Title string `yaml:"title"`
		} `yaml:"patches"`
	}
	if err := yaml.Load(data, &in); err != nil || len(in.Patches) == 0 {
		return fmt.Errorf("the install override list %s has no patches", j.order.overrideList)
	}
	for _, p := range in.Patches {
		j.listed = append(j.listed, listedPatch(p))
	}
	return nil
}

// override takes the baseline for the node's system from those of the order.
func (j *patchJob) override() error {
	if j.order.baseline == "" {
		return nil
	}
	data, err := j.object("baseline override", j.order.baseline)
	if err != nil {
		return err
	}
	var list []map[string]any
	if err := yaml.Load(data, &list); err != nil { // JSON is YAML
		return fmt.Errorf("the baseline override %s is no list of baselines", j.order.baseline)
	}
	for _, r := range list {
		if os := text(r["OperatingSystem"]); os == j.n.OperatingSystem() {
			b, err := parseBaseline(r)
			if err != nil {
				return fmt.Errorf("the baseline override %s: %w", j.order.baseline, err)
			}
			fill(&b.ID, j.b.ID)
			j.b = b
			return nil
		}
	}
	return fmt.Errorf("the baseline override %s has none for %s", j.order.baseline, j.n.OperatingSystem())
}
