package run

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func TestInvocations(t *testing.T) {
	client := NewMockapi(gomock.NewController(t))
	page := states("a", "Failed")
	page.NextToken = aws.String("2")
	client.EXPECT().ListCommandInvocations(gomock.Any(), gomock.Any()).Return(page, nil)
	client.EXPECT().ListCommandInvocations(gomock.Any(), gomock.Any()).Return(states("b", "InProgress"), nil)
	got := map[string]State{}
	for inv, err := range New(client, nil).Invocations(t.Context(), cid) {
		if err != nil {
			t.Fatal(err)
		}
		got[inv.NodeID] = inv.State
	}
	if len(got) != 2 || got["a"] != Failed || got["b"] != Running {
		t.Errorf("got %v", got)
	}

	client.EXPECT().ListCommandInvocations(gomock.Any(), gomock.Any()).Return(nil, errors.New("reset"))
	for _, err := range New(client, nil).Invocations(t.Context(), cid) {
		wantKind(t, err, fault.Failed, "reset")
	}
	for _, err := range New(client, nil).Invocations(t.Context(), "no id") {
		wantKind(t, err, fault.Usage, "no id")
	}
}
