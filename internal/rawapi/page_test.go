package rawapi

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// serve returns a service whose requests answer gets, as JSON.
func serve(t *testing.T, answer func(n int, in map[string]any) (int, any)) *Service {
	t.Helper()
	n := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var in map[string]any
		if err := json.Unmarshal(body, &in); err != nil {
			t.Error(err)
		}
		n++
		status, out := answer(n, in)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(out)
	}))
	t.Cleanup(srv.Close)
	return New(ssm.New(ssm.Options{
		Region: "eu-central-1", BaseEndpoint: &srv.URL, RetryMaxAttempts: 1,
		Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider("a", "b", "")),
	}))
}

type object = map[string]any

// numbered answers DescribeParameters with total parameters, as many a page as are
// asked for, and 10 when nothing is.
func numbered(t *testing.T, total int) *Service {
	return serve(t, func(_ int, in map[string]any) (int, any) {
		from, size := 0, 10
		if token, ok := in["NextToken"].(string); ok {
			if _, err := fmt.Sscanf(token, "from-%d", &from); err != nil {
				return 400, object{"__type": "InvalidNextToken", "message": token}
			}
		}
		if n, ok := in["MaxResults"].(float64); ok {
			size = int(n)
		}
		list := []any{}
		for i := from; i < min(from+size, total); i++ {
			list = append(list, object{"Name": fmt.Sprintf("p%d", i)})
		}
		out := object{"Parameters": list}
		if from+size < total {
			out["NextToken"] = fmt.Sprintf("from-%d", from+size)
		}
		return 200, out
	})
}

// names lists what an answer of DescribeParameters holds, "p0..p3" for a run.
func names(t *testing.T, answer json.RawMessage) string {
	t.Helper()
	var out struct{ Parameters []struct{ Name string } }
	if err := json.Unmarshal(answer, &out); err != nil {
		t.Fatal(err)
	}
	if len(out.Parameters) == 0 {
		return ""
	}
	first := 0
	if _, err := fmt.Sscanf(out.Parameters[0].Name, "p%d", &first); err != nil {
		t.Fatal(err)
	}
	for i, p := range out.Parameters {
		if p.Name != fmt.Sprintf("p%d", first+i) {
			t.Fatalf("%s stands in place %d", p.Name, i)
		}
	}
	return fmt.Sprintf("%d..%d", first, first+len(out.Parameters)-1)
}

func TestPages(t *testing.T) {
	tests := []struct {
		name   string
		total  int
		set    string // MaxResults of the request
		o      Paging
		want   string
		pages  int
		next   string
		hasEnd bool
	}{
		{name: "all, in large pages", total: 120, want: "0..119", pages: 3},
		{name: "nothing", total: 0, want: "", pages: 1},
		{name: "a page size", total: 25, o: Paging{Size: 10}, want: "0..24", pages: 3},
		{name: "a page size that is too large", total: 60, o: Paging{Size: 1000}, want: "0..59", pages: 2},
		{name: "the request's own page size", total: 25, set: "5", want: "0..24", pages: 5},
		{name: "not all", total: 120, o: Paging{Max: 20}, want: "0..19", pages: 1, next: "from-20"},
		{name: "exactly all", total: 20, o: Paging{Max: 20}, want: "0..19", pages: 1},
		{name: "within a page", total: 120, o: Paging{Max: 25, Size: 10}, want: "0..24", pages: 3, next: joinToken("from-20", 5)},
		{name: "going on within a page", total: 120, o: Paging{Start: joinToken("from-20", 5), Size: 10, Max: 10}, want: "25..34", pages: 2, next: joinToken("from-30", 5)},
		{name: "going on within the first page", total: 12, o: Paging{Start: joinToken("", 5), Size: 10}, want: "5..11", pages: 2},
		{name: "going on in shorter pages", total: 40, o: Paging{Start: joinToken("", 25), Size: 10, Max: 10}, want: "25..34", pages: 4, next: joinToken("from-30", 5)},
		{name: "going on at the service's token", total: 30, o: Paging{Start: "from-10", Size: 10}, want: "10..29", pages: 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := request(t, "DescribeParameters")
			if tt.set != "" {
				r.SetTexts("MaxResults", tt.set)
			}
			res, err := numbered(t, tt.total).All(t.Context(), r, tt.o)
			if err != nil {
				t.Fatal(err)
			}
			if got := names(t, res.Answer); got != tt.want || res.Pages != tt.pages || res.Next != tt.next {
				t.Errorf("got %s on %d pages, next %q", got, res.Pages, res.Next)
			}
			if strings.Contains(string(res.Answer), "NextToken") != (tt.next != "") {
				t.Errorf("the answer says %s", res.Answer)
			}
		})
	}
}

func TestTheTokenIsThatOfTheAWSCLI(t *testing.T) {
	const theirs = `{"NextToken": "abc", "boto_truncate_amount": 2}`
	if next, skip := parseToken(base64.StdEncoding.EncodeToString([]byte(theirs))); next != "abc" || skip != 2 {
		t.Errorf("got %q, %d", next, skip)
	}
	for _, own := range []string{"", "abc", "AAAA", base64.StdEncoding.EncodeToString([]byte(`{"x":1}`))} {
		if next, skip := parseToken(own); next != own || skip != 0 {
			t.Errorf("the service's token %q became %q, %d", own, next, skip)
		}
	}
}

func TestAPageThatBreaksOff(t *testing.T) {
	s := serve(t, func(n int, _ map[string]any) (int, any) {
		if n == 3 {
			return 400, object{"__type": "AccessDeniedException", "message": "no more"}
		}
		return 200, object{"Parameters": []any{object{"Name": fmt.Sprintf("p%d", n-1)}}, "NextToken": fmt.Sprintf("t%d", n)}
	})
	res, err := s.All(t.Context(), request(t, "DescribeParameters"), Paging{})
	if fault.KindOf(err) != fault.Auth || !strings.Contains(err.Error(), "broke off after 2 items on page 2: not allowed: ssm:DescribeParameters") || fault.HintOf(err) == "" {
		t.Errorf("got %v, hint %q", err, fault.HintOf(err))
	}
	if got := names(t, res.Answer); got != "0..1" || res.Next != "t2" {
		t.Errorf("kept %s, next %q", got, res.Next)
	}
}

func TestATokenThatComesTwice(t *testing.T) {
	s := serve(t, func(n int, _ map[string]any) (int, any) {
		return 200, object{"Parameters": []any{object{"Name": fmt.Sprintf("p%d", n-1)}}, "NextToken": "again"}
	})
	if _, err := s.All(t.Context(), request(t, "DescribeParameters"), Paging{}); err == nil || !strings.Contains(err.Error(), "same page token twice") {
		t.Error(err)
	}
}

// TestEveryListGrows: for each operation with pages the lists of two pages are in
// one answer.
func TestEveryListGrows(t *testing.T) {
	n := 0
	for _, o := range Operations() {
		if !o.Paged() {
			continue
		}
		n++
		first, second := filled(o.entry.output), filled(o.entry.output)
		for i, l := range listsOf(first, o.Items) {
			before, more := l.Len(), listsOf(second, o.Items)[i]
			want := before + more.Len()
			if !l.IsValid() || before == 0 {
				t.Errorf("%s: no list %s", o.Name, o.Items[i])
			}
			grow(l, more)
			if l.Kind().String() == "map" {
				want = before // the same keys
			}
			if l.Len() != want {
				t.Errorf("%s: %s has %d items, want %d", o.Name, o.Items[i], l.Len(), want)
			}
		}
		cut(listsOf(first, o.Items), 0, 1)
		if got := size(listsOf(first, o.Items)); got != 1 {
			t.Errorf("%s: cut to %d items", o.Name, got)
		}
		answer, err := encode(first.Interface())
		if err != nil {
			t.Fatal(err)
		}
		var items []any
		if err := json.Unmarshal(o.ItemsOf(answer), &items); err != nil || len(items) != 1 {
			t.Errorf("%s: items %s, %v", o.Name, o.ItemsOf(answer), err)
		}
	}
	t.Logf("%d operations with pages", n)
	if n != 56 {
		t.Errorf("%d operations with pages", n)
	}
}

func TestEachPageAsItComes(t *testing.T) {
	var got []string
	res, err := numbered(t, 25).All(t.Context(), request(t, "DescribeParameters"), Paging{Size: 10, Max: 22, Each: func(items json.RawMessage) error {
		got = append(got, names(t, json.RawMessage(`{"Parameters":`+string(items)+`}`)))
		return nil
	}})
	if err != nil || strings.Join(got, " ") != "0..9 10..19 20..21" || res.Items != 22 || res.Answer != nil {
		t.Errorf("got %v, %+v, %v", got, res, err)
	}
}

func TestDo(t *testing.T) {
	s := numbered(t, 70)
	answer, err := s.Do(t.Context(), "describe-parameters", map[string]any{"MaxResults": 50})
	if err != nil || names(t, answer) != "0..69" {
		t.Errorf("got %s, %v", answer, err)
	}
	if _, err := s.Do(t.Context(), "DescribeParameters", map[string]any{"MaxResult": 50}); fault.KindOf(err) != fault.Usage {
		t.Errorf("got %v", err)
	}
	if _, err := s.Do(t.Context(), "Nonsense", nil); fault.KindOf(err) != fault.Usage {
		t.Errorf("got %v", err)
	}
	if _, err := s.All(t.Context(), request(t, "SendCommand"), Paging{}); err == nil {
		t.Error("SendCommand has no pages")
	}
}
