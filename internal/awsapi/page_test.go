package awsapi

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

func TestTheSamePageTwiceIsAnError(t *testing.T) {
	w := &wire{do: func(n int, _ *http.Request) (*http.Response, error) {
		return answer(http.StatusOK, `{"NextToken":"`+[]string{"a", "b", "b"}[n-1]+`"}`), nil
	}}
	s := wired(t, Options{}, w)
	pages := ssm.NewListDocumentsPaginator(ssm.NewFromConfig(s.Config()), &ssm.ListDocumentsInput{})
	for range 2 {
		if _, err := pages.NextPage(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	_, err := pages.NextPage(t.Context())
	if err == nil || !strings.Contains(Explain("list documents", err).Error(), "list documents: ListDocuments gave the same page twice") {
		t.Errorf("got %v", Explain("list documents", err))
	}
	if w.sent() != 3 {
		t.Errorf("%d calls", w.sent())
	}
}
