package document

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func TestNamesPagesThroughDocumentsOfAType(t *testing.T) {
	m := NewMockapi(gomock.NewController(t))
	page := func(token *string, next *string, names ...string) *gomock.Call {
		out := &ssm.ListDocumentsOutput{NextToken: next}
		for _, n := range names {
			out.DocumentIdentifiers = append(out.DocumentIdentifiers, types.DocumentIdentifier{Name: aws.String(n)})
		}
		return m.EXPECT().ListDocuments(gomock.Any(), gomock.Any()).DoAndReturn(
			func(_ context.Context, in *ssm.ListDocumentsInput, _ ...func(*ssm.Options)) (*ssm.ListDocumentsOutput, error) {
				f := in.Filters
				if len(f) != 1 || *f[0].Key != "DocumentType" || f[0].Values[0] != "Session" || aws.ToString(in.NextToken) != aws.ToString(token) {
					t.Errorf("filters %v, token %q", f, aws.ToString(in.NextToken))
				}
				return out, nil
			})
	}
	gomock.InOrder(page(nil, aws.String("more"), "a", "b"), page(aws.String("more"), nil, "c"))
	names, err := New(m).Names(context.Background(), "Session")
	if err != nil || strings.Join(names, " ") != "a b c" {
		t.Errorf("%v, %v", names, err)
	}
	m.EXPECT().ListDocuments(gomock.Any(), gomock.Any()).Return(nil, &types.InvalidFilterKey{})
	if _, err := New(m).Names(context.Background(), "Session"); fault.KindOf(err) != fault.Usage {
		t.Errorf("a refusal: %v", err)
	}
}
