package awsapi

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
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

func TestSilenceIsNotAnEmptyList(t *testing.T) {
	silent := &wire{do: func(int, *http.Request) (*http.Response, error) {
		a := answer(http.StatusOK, "")
		a.Body = http.NoBody
		return a, nil
	}}
	client := ssm.NewFromConfig(wired(t, Options{}, silent).Config())
	_, err := client.ListDocuments(t.Context(), &ssm.ListDocumentsInput{})
	if err = Explain("list documents", err); err == nil || !strings.Contains(err.Error(), "gave an answer that is not AWS's (HTTP 200)") {
		t.Errorf("a list: %v", err)
	}
	if _, err := client.DeleteParameter(t.Context(), &ssm.DeleteParameterInput{Name: aws.String("/a")}); err != nil {
		t.Errorf("what is done needs no more than that it is done: %v", err)
	}
}
