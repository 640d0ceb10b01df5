package access

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

const (
	node = "i-0123456789abcdef0"
	id   = "oi-0123456789ab"
)

func newMock(t *testing.T) (*Service, *Mockapi) {
	t.Helper()
	m := NewMockapi(gomock.NewController(t))
	return New(m), m
}

// answers makes GetAccessToken tell the states in turn.
func answers(m *Mockapi, states ...types.AccessRequestStatus) {
	var calls []*gomock.Call
	for _, s := range states {
		out := &ssm.GetAccessTokenOutput{AccessRequestStatus: s}
		if s == types.AccessRequestStatusApproved {
			out.Credentials = &types.Credentials{
				AccessKeyId: aws.String("ASIAX"), SecretAccessKey: aws.String("secret"), SessionToken: aws.String("token"),
				ExpirationTime: aws.Time(time.Now().Add(time.Hour)),
			}
		}
		calls = append(calls, m.EXPECT().GetAccessToken(gomock.Any(), &ssm.GetAccessTokenInput{AccessRequestId: aws.String(id)}).Return(out, nil))
	}
	gomock.InOrder(calls...)
}

func TestRequestNamesTheNode(t *testing.T) {
	s, m := newMock(t)
	m.EXPECT().StartAccessRequest(gomock.Any(), &ssm.StartAccessRequestInput{
		Reason: aws.String("INC-1"), Targets: []types.Target{{Key: aws.String("InstanceIds"), Values: []string{node}}},
	}).Return(&ssm.StartAccessRequestOutput{AccessRequestId: aws.String(id)}, nil)
	if got, err := s.Request(context.Background(), node, "INC-1"); got != id || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	m.EXPECT().StartAccessRequest(gomock.Any(), gomock.Any()).Return(nil, &types.AccessDeniedException{Message: aws.String("no policy")})
	if _, err := s.Request(context.Background(), node, "INC-1"); fault.KindOf(err) != fault.Auth {
		t.Errorf("denied: %v", err)
	}
}

func TestWaitEndsWithTheDecision(t *testing.T) {
	for _, tt := range []struct {
		states []types.AccessRequestStatus
		kind   fault.Kind
		text   string
	}{
		{[]types.AccessRequestStatus{"Pending", "Pending", "Approved"}, 0, ""},
		{[]types.AccessRequestStatus{"Approved"}, 0, ""},
		{[]types.AccessRequestStatus{"Pending", "Rejected"}, fault.Auth, "rejected"},
		{[]types.AccessRequestStatus{"Revoked"}, fault.Auth, "revoked"},
		{[]types.AccessRequestStatus{"Expired"}, fault.Auth, "expired"},
		{[]types.AccessRequestStatus{"Sleeping"}, fault.Failed, `"Sleeping"`},
	} {
		synctest.Test(t, func(t *testing.T) {
			s, m := newMock(t)
			answers(m, tt.states...)
			var seen []Status
			st, err := s.Wait(context.Background(), id, time.Hour, func(s Status) { seen = append(seen, s) })
			if tt.text == "" && err != nil || tt.text != "" && (fault.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.text)) {
				t.Errorf("%v: %v", tt.states, err)
			}
			if last := tt.states[len(tt.states)-1]; st.ID != id || string(st.Status) != string(last) || len(seen) > 2 {
				t.Errorf("%v: state %+v, told %v", tt.states, st, seen)
			}
		})
	}
}

func TestWaitEndsWithTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m := newMock(t)
		m.EXPECT().GetAccessToken(gomock.Any(), gomock.Any()).AnyTimes().Return(&ssm.GetAccessTokenOutput{AccessRequestStatus: "Pending"}, nil)
		start := time.Now()
		_, err := s.Wait(context.Background(), id, time.Minute, func(Status) {})
		if took := time.Since(start); fault.KindOf(err) != fault.Pending || took != time.Minute {
			t.Errorf("%v after %v", err, took)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second/2)
		defer cancel()
		if _, err := s.Wait(ctx, id, time.Minute, func(Status) {}); err == nil || ctx.Err() == nil {
			t.Errorf("a context that ends: %v", err)
		}
	})
}

func TestCredentialsOfAnApprovedRequest(t *testing.T) {
	s, m := newMock(t)
	answers(m, "Approved", "Revoked", "Pending")
	p := s.Credentials(id)
	c, err := p.Retrieve(context.Background())
	if err != nil || c.AccessKeyID != "ASIAX" || c.SecretAccessKey != "secret" || c.SessionToken != "token" || !c.CanExpire || c.Expires.IsZero() {
		t.Errorf("%v, %v", c.AccessKeyID, err)
	}
	if _, err := p.Retrieve(context.Background()); fault.KindOf(err) != fault.Auth {
		t.Errorf("revoked: %v", err)
	}
	if _, err := p.Retrieve(context.Background()); fault.KindOf(err) != fault.Pending {
		t.Errorf("pending: %v", err)
	}
	m.EXPECT().GetAccessToken(gomock.Any(), gomock.Any()).Return(&ssm.GetAccessTokenOutput{AccessRequestStatus: "Approved"}, nil)
	if _, err := p.Retrieve(context.Background()); err == nil {
		t.Error("approved without credentials is no error")
	}
}

func TestListPagesThroughOpsItems(t *testing.T) {
	s, m := newMock(t)
	items := []types.OpsItemSummary{
		{OpsItemId: aws.String("oi-1"), Status: "Approved", Title: aws.String("t"), OperationalData: map[string]types.OpsItemDataValue{itemType: {Value: aws.String(`{"x":"` + node + `"}`)}}},
		{OpsItemId: aws.String("oi-2"), Status: "PendingApproval", Title: aws.String("for mi-0123456789abcdef0")},
	}
	m.EXPECT().DescribeOpsItems(gomock.Any(), gomock.Any()).DoAndReturn(func(_ context.Context, in *ssm.DescribeOpsItemsInput, _ ...func(*ssm.Options)) (*ssm.DescribeOpsItemsOutput, error) {
		f := in.OpsItemFilters
		if len(f) != 3 || f[0].Key != types.OpsItemFilterKeyOpsitemType || f[0].Values[0] != itemType || f[1].Values[0] != node || f[2].Values[0] != "Approved" {
			t.Errorf("filters %v", f)
		}
		return &ssm.DescribeOpsItemsOutput{OpsItemSummaries: items[:1], NextToken: aws.String("more")}, nil
	})
	m.EXPECT().DescribeOpsItems(gomock.Any(), gomock.Any()).Return(&ssm.DescribeOpsItemsOutput{OpsItemSummaries: items[1:]}, nil)
	var got []string
	for e, err := range s.List(context.Background(), Filter{Node: node, Status: "Approved"}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.ID+" "+e.Status+" "+e.Node)
	}
	if want := "oi-1 Approved " + node + ",oi-2 PendingApproval mi-0123456789abcdef0"; strings.Join(got, ",") != want {
		t.Errorf("got %v", got)
	}
}

func TestCheckID(t *testing.T) {
	for _, bad := range []string{"", "oi-", "oi-0123456789AB", "i-0123456789abcdef0", id + "0"} {
		if fault.KindOf(CheckID(bad)) != fault.Usage {
			t.Errorf("%q is accepted", bad)
		}
	}
	if err := CheckID(id); err != nil {
		t.Error(err)
	}
}
