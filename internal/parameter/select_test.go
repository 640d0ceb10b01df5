package parameter

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// shelf is a Parameter Store of a few names that writes down what it is asked. It knows
// the filters of these tests only, and is not sorted.
type shelf struct {
	api      // the operations that are not needed here
	names    []string
	labelled []string
	asked    []string
}

func (s *shelf) note(words ...string) { s.asked = append(s.asked, strings.Join(words, " ")) }

func filterWords(filters []types.ParameterStringFilter) (words []string) {
	for _, f := range filters {
		words = append(words, aws.ToString(f.Key), aws.ToString(f.Option), strings.Join(f.Values, ","))
	}
	return words
}

var lastChange = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func (s *shelf) DescribeParameters(_ context.Context, in *ssm.DescribeParametersInput, _ ...func(*ssm.Options)) (*ssm.DescribeParametersOutput, error) {
	s.note(append([]string{"describe"}, filterWords(in.ParameterFilters)...)...)
	out := &ssm.DescribeParametersOutput{}
	for i, name := range s.names {
		meant := true
		for _, f := range in.ParameterFilters {
			switch aws.ToString(f.Key) {
			case "Name":
				meant = meant && slices.ContainsFunc(f.Values, func(v string) bool {
					return v == name || aws.ToString(f.Option) == "Contains" && strings.Contains(name, v)
				})
			case "Path":
				meant = meant && strings.HasPrefix(name, f.Values[0]+"/")
			}
		}
		if meant {
			out.Parameters = append(out.Parameters, types.ParameterMetadata{
				Name: aws.String(name), Type: types.ParameterTypeString, Version: 5, LastModifiedDate: aws.Time(lastChange.AddDate(0, 0, -i)),
				LastModifiedUser: aws.String("arn:aws:iam::111122223333:user/Alice"),
			})
		}
	}
	return out, nil
}

func (s *shelf) GetParametersByPath(_ context.Context, in *ssm.GetParametersByPathInput, _ ...func(*ssm.Options)) (*ssm.GetParametersByPathOutput, error) {
	s.note(append([]string{"by path", aws.ToString(in.Path)}, filterWords(in.ParameterFilters)...)...)
	out := &ssm.GetParametersByPathOutput{}
	list := s.names
	if len(in.ParameterFilters) > 0 {
		list = s.labelled
	}
	for _, name := range list {
		out.Parameters = append(out.Parameters, types.Parameter{Name: aws.String(name), Type: types.ParameterTypeString, Value: aws.String("public"), LastModifiedDate: &lastChange})
	}
	return out, nil
}

func (s *shelf) GetParameters(_ context.Context, in *ssm.GetParametersInput, _ ...func(*ssm.Options)) (*ssm.GetParametersOutput, error) {
	s.note("get", strings.Join(in.Names, ","))
	out := &ssm.GetParametersOutput{}
	for _, asked := range in.Names {
		name, selector, _ := strings.Cut(asked, ":")
		p := types.Parameter{Name: aws.String(name), Type: types.ParameterTypeString, Value: aws.String("v of " + name), Version: 5}
		if selector != "" {
			p.Selector, p.Version = aws.String(":"+selector), 2
		}
		out.Parameters = append(out.Parameters, p)
	}
	return out, nil
}

func (s *shelf) GetParameter(context.Context, *ssm.GetParameterInput, ...func(*ssm.Options)) (*ssm.GetParameterOutput, error) {
	return nil, &types.ParameterVersionNotFound{}
}

func namesOf(list []Parameter) (names []string) {
	for _, p := range list {
		names = append(names, p.Name)
	}
	return names
}

func selected(t *testing.T, where string, change ...func(*Selection)) Selection {
	t.Helper()
	s, err := Select(where)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(&s)
	}
	return s
}

// The service is asked for as little as can be, and values are read of what is meant.
func TestFind(t *testing.T) {
	names := []string{"/web/db-url", "/app/b/db-url", "/app/a/db-url", "/app/a/key", "/app"}
	tests := []struct {
		name   string
		sel    Selection
		values bool
		want   []string
		asked  []string
	}{
		{"all", Selection{}, false, []string{"/app", "/app/a/db-url", "/app/a/key", "/app/b/db-url", "/web/db-url"}, []string{"describe"}},
		{"a path", selected(t, "/app/a"), false, []string{"/app/a/db-url", "/app/a/key"}, []string{"describe Path Recursive /app/a"}},
		{"a pattern", selected(t, "/app/*/db-*"), false, []string{"/app/a/db-url", "/app/b/db-url"}, []string{"describe Path Recursive /app"}},
		{"values of a pattern", selected(t, "/app/*/key"), true, []string{"/app/a/key"}, []string{"describe Path Recursive /app", "get /app/a/key"}},
		{"the last part", selected(t, "*url"), false, []string{"/app/a/db-url", "/app/b/db-url", "/web/db-url"}, []string{"describe Name Contains url"}},
		{"changed since", selected(t, "", func(s *Selection) { s.Since = lastChange.AddDate(0, 0, -1) }), false, []string{"/app/b/db-url", "/web/db-url"}, []string{"describe"}},
		{"by whom", selected(t, "/web", func(s *Selection) { s.By = "ALICE" }), false, []string{"/web/db-url"}, []string{"describe Path Recursive /web"}},
		{"a name with nothing below", selected(t, "/app/a/key"), false, []string{"/app/a/key"}, []string{
			"describe Path Recursive /app/a/key", "describe Name Equals /app/a/key",
		}},
		{"a pattern, and a text", selected(t, "*url", func(s *Selection) { s.Names = []string{"/web/db-url", "/app/a/key"} }), false, []string{"/web/db-url"}, []string{
			"describe Name Equals /web/db-url,/app/a/key", // the service takes one filter of names
		}},
		{"a label", selected(t, "/app", func(s *Selection) { s.Label = "live" }), true, []string{"/app/a/key"}, []string{
			"by path /app Label Equals live", "describe Path Recursive /app", "get /app/a/key:live",
		}},
		{"a label, without values", selected(t, "/app", func(s *Selection) { s.Label = "live" }), false, []string{"/app/a/key"}, []string{
			"by path /app Label Equals live", "describe Path Recursive /app", "get /app/a/key:live",
		}},
		{"what AWS publishes", selected(t, PublicPath), true, []string{"/app", "/app/a/db-url", "/app/a/key", "/app/b/db-url", "/web/db-url"}, []string{"by path /aws/service"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := &shelf{names: names, labelled: []string{"/app/a/key", "/elsewhere"}}
			find := func() ([]Parameter, error) { return New(store).Find(t.Context(), tt.sel) }
			if tt.values {
				find = func() ([]Parameter, error) { return New(store).FindValues(t.Context(), tt.sel, false) }
			}
			got, err := find()
			if err != nil || !reflect.DeepEqual(namesOf(got), tt.want) {
				t.Errorf("got %q, %v; want %q", namesOf(got), err, tt.want)
			}
			if !reflect.DeepEqual(store.asked, tt.asked) {
				t.Errorf("asked %q, want %q", store.asked, tt.asked)
			}
			for _, p := range got {
				if (p.Value != "") != tt.values {
					t.Errorf("%s has the value %q", p.Name, p.Value)
				}
				if tt.sel.Label != "" && (p.Version != 2 || p.Selector != ":live") {
					t.Errorf("%s is version %d%s, not that of the label", p.Name, p.Version, p.Selector)
				}
			}
		})
	}
}

func TestFindTellsHowMany(t *testing.T) {
	seen := 0
	sel := Selection{Seen: func(n int) { seen = n }}
	if _, err := New(&shelf{names: []string{"/a", "/b"}}).Find(t.Context(), sel); err != nil || seen != 2 {
		t.Errorf("told %d, %v", seen, err)
	}
}

func TestDescribeAndNear(t *testing.T) {
	store := &shelf{names: []string{"/app/db-url", "/app/db-user", "/app/key"}}
	s := New(store)
	found, missing, err := s.Describe(t.Context(), []string{"/app/key", "/nope", "/app/db-url"})
	if err != nil || !reflect.DeepEqual(namesOf(found), []string{"/app/key", "/app/db-url"}) || !reflect.DeepEqual(missing, []string{"/nope"}) {
		t.Errorf("got %q, %q, %v", namesOf(found), missing, err)
	}
	store.asked = nil
	if got := s.Near(t.Context(), "/app/db-ural", nil); len(got) == 0 || got[0] != "/app/db-url" || len(store.asked) != 1 {
		t.Errorf("got %q after %q", got, store.asked)
	}
	store.asked = nil
	if got := s.Near(t.Context(), "/app/kee", []string{"/app/key"}); len(got) != 1 || len(store.asked) != 0 {
		t.Errorf("of known names: got %q after %q", got, store.asked)
	}
}

func TestOneThatIsNotThere(t *testing.T) {
	_, err := New(&shelf{}).One(t.Context(), Ref{Name: "/a", Version: 9}, true)
	if fault.KindOf(err) != fault.NotFound || !strings.Contains(err.Error(), "/a:9") {
		t.Errorf("got %v", err)
	}
}
