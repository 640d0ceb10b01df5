package activation

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/iam"
)

const testID = "1a2b3c4d-1a2b-4c3d-9e8f-1a2b3c4d5e6f"

func newMocks(t *testing.T) (*Service, *Mockapi, *Mockroles) {
	t.Helper()
	c := gomock.NewController(t)
	a, r := NewMockapi(c), NewMockroles(c)
	return New(a, r), a, r
}

func TestCreateSendsWhatWasAsked(t *testing.T) {
	s, api, _ := newMocks(t)
	until := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	api.EXPECT().CreateActivation(gomock.Any(), gomock.Any()).DoAndReturn(func(_ context.Context, in *ssm.CreateActivationInput, _ ...func(*ssm.Options)) (*ssm.CreateActivationOutput, error) {
		if *in.IamRole != "service-role/Edge" || *in.RegistrationLimit != 10 || !in.ExpirationDate.Equal(until) || *in.DefaultInstanceName != "till" || in.Description != nil {
			t.Errorf("sent %+v", in)
		}
		if len(in.Tags) != 2 || *in.Tags[0].Key != "env" || *in.Tags[1].Value != "berlin" {
			t.Errorf("tags %+v", in.Tags)
		}
		return &ssm.CreateActivationOutput{ActivationId: aws.String(testID), ActivationCode: aws.String("QC2CV0/lRfn+LTqf23Bf")}, nil
	})
	made, err := s.Create(t.Context(), Request{Role: "service-role/Edge", Name: "till", Limit: 10, Expires: until, Tags: map[string]string{"site": "berlin", "env": "prod"}})
	if err != nil || made.ID != testID || made.Code != "QC2CV0/lRfn+LTqf23Bf" || made.State != Active || made.Limit != 10 {
		t.Errorf("made %+v, %v", made, err)
	}
}

func TestCreateWithoutACodeIsAnError(t *testing.T) {
	s, api, _ := newMocks(t)
	api.EXPECT().CreateActivation(gomock.Any(), gomock.Any()).Return(&ssm.CreateActivationOutput{ActivationId: aws.String(testID)}, nil)
	if _, err := s.Create(t.Context(), Request{Role: "r", Limit: 1}); err == nil {
		t.Error("half an answer is taken")
	}
}

func TestRequestCheck(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	good := Request{Role: "r", Limit: 1, Expires: now.Add(time.Hour)}
	if err := good.Check(now); err != nil {
		t.Error(err)
	}
	month := good
	month.Expires = now.Add(MaxLife)
	if err := month.Check(now); err != nil {
		t.Errorf("30 days: %v", err)
	}
	for name, change := range map[string]func(*Request){
		"none":             func(r *Request) { r.Limit = 0 },
		"too many":         func(r *Request) { r.Limit = 1001 },
		"the past":         func(r *Request) { r.Expires = now },
		"too far":          func(r *Request) { r.Expires = now.Add(MaxLife + time.Second) },
		"a long name":      func(r *Request) { r.Name = strings.Repeat("x", 257) },
		"an odd name":      func(r *Request) { r.Name = "till\n7" },
		"much description": func(r *Request) { r.Description = strings.Repeat("x", 257) },
		"a reserved tag":   func(r *Request) { r.Tags = map[string]string{"AWS:x": "y"} },
		"an odd tag":       func(r *Request) { r.Tags = map[string]string{"a;b": "y"} },
		"an odd value":     func(r *Request) { r.Tags = map[string]string{"a": "y;z"} },
	} {
		r := good
		change(&r)
		if err := r.Check(now); fault.KindOf(err) != fault.Usage {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestExpiry(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	now := time.Date(2026, 3, 1, 12, 0, 0, 500, berlin)
	for text, want := range map[string]time.Time{
		"":                          time.Date(2026, 3, 2, 12, 0, 0, 0, berlin),
		"7d":                        time.Date(2026, 3, 8, 12, 0, 0, 0, berlin),
		"36h":                       time.Date(2026, 3, 3, 0, 0, 0, 0, berlin),
		"2026-03-04":                time.Date(2026, 3, 4, 23, 59, 59, 0, berlin),
		"2026-03-04T08:00:00Z":      time.Date(2026, 3, 4, 8, 0, 0, 0, time.UTC),
		"2026-03-04T08:00:00+05:00": time.Date(2026, 3, 4, 3, 0, 0, 0, time.UTC),
	} {
		if got, err := ParseExpiry(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q is %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"soon", "d", "1.5d", "-3d", "99999999999d", "2026-13-01", "2026-03-04 08:00", "7"} {
		if _, err := ParseExpiry(text, now); fault.KindOf(err) != fault.Usage {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestTags(t *testing.T) {
	got, err := ParseTags([]string{"env=prod", "note=a=b", "empty="})
	if err != nil || len(got) != 3 || got["note"] != "a=b" || got["empty"] != "" {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := ParseTags(nil); got != nil || err != nil {
		t.Errorf("none: %v, %v", got, err)
	}
	for _, words := range [][]string{{"env"}, {"=x"}, {"a=1", "a=2"}, {"aws:a=1"}} {
		if _, err := ParseTags(words); fault.KindOf(err) != fault.Usage {
			t.Errorf("%q: %v", words, err)
		}
	}
}

// listing answers DescribeActivations page by page.
func listing(api *Mockapi, pages ...*ssm.DescribeActivationsOutput) {
	var calls []*gomock.Call
	for _, p := range pages {
		calls = append(calls, api.EXPECT().DescribeActivations(gomock.Any(), gomock.Any()).Return(p, nil))
	}
	gomock.InOrder(calls...)
}

func item(id string, registered, limit int32, expired bool) types.Activation {
	return types.Activation{ActivationId: aws.String(id), RegistrationsCount: aws.Int32(registered), RegistrationLimit: aws.Int32(limit), Expired: expired, IamRole: aws.String("r")}
}

func TestListTellsStatesApart(t *testing.T) {
	s, api, _ := newMocks(t)
	listing(api,
		&ssm.DescribeActivationsOutput{ActivationList: []types.Activation{item("a", 0, 1, false), item("b", 1, 1, false)}, NextToken: aws.String("more")},
		&ssm.DescribeActivationsOutput{ActivationList: []types.Activation{item("c", 0, 1, true), item("d", 1, 1, true)}})
	var got []string
	for a, err := range s.List(t.Context(), Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, a.ID+" "+string(a.State))
	}
	if strings.Join(got, ",") != "a active,b used_up,c expired,d used_up" {
		t.Errorf("got %v", got)
	}
}

func TestAListThatRepeatsItselfIsAnError(t *testing.T) {
	s, api, _ := newMocks(t)
	same := &ssm.DescribeActivationsOutput{ActivationList: []types.Activation{item("a", 0, 1, false)}, NextToken: aws.String("again")}
	listing(api, same, same)
	var last error
	n := 0
	for _, err := range s.List(t.Context(), Filter{}) {
		last = err
		n++
	}
	if last == nil || n != 3 {
		t.Errorf("%d items, %v", n, last)
	}
}

func TestWhatIsMissingIsNotFound(t *testing.T) {
	s, api, _ := newMocks(t)
	listing(api, &ssm.DescribeActivationsOutput{})
	if _, err := s.Get(t.Context(), testID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("get: %v", err)
	}
	api.EXPECT().DeleteActivation(gomock.Any(), gomock.Any()).Return(nil, &types.InvalidActivation{})
	if err := s.Delete(t.Context(), testID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("delete: %v", err)
	}
	if err := CheckID("x"); fault.KindOf(err) != fault.Usage {
		t.Errorf("check: %v", err)
	}
}

func TestRoleSpellings(t *testing.T) {
	for text, want := range map[string]Role{
		"SSMServiceRole":                                      {Name: "SSMServiceRole"},
		"service-role/Edge":                                   {Path: "/service-role/", Name: "Edge"},
		"/service-role/Edge":                                  {Path: "/service-role/", Name: "Edge"},
		"arn:aws:iam::123456789012:role/Edge":                 {Name: "Edge", Account: "123456789012"},
		"arn:aws-cn:iam::123456789012:role/service-role/Edge": {Path: "/service-role/", Name: "Edge", Account: "123456789012"},
	} {
		got, err := ParseRole(text)
		if err != nil || got != want {
			t.Errorf("%q is %+v, %v; want %+v", text, got, err, want)
		}
		if strings.HasPrefix(got.String(), "/") {
			t.Errorf("%q is sent as %q", text, got)
		}
	}
	for _, text := range []string{"", "a b", "arn:aws:iam::1:role/x", "arn:aws:iam::123456789012:user/x", "x/", strings.Repeat("x", 65)} {
		if _, err := ParseRole(text); fault.KindOf(err) != fault.Usage {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestCheckRole(t *testing.T) {
	found := func(path, trust string) iam.Role {
		return iam.Role{Name: "Edge", ARN: "arn:aws:iam::123456789012:role" + path + "Edge", Trust: trust}
	}
	for name, tt := range map[string]struct {
		role      iam.Role
		missing   bool
		err       error
		kind      fault.Kind
		unchecked bool
		want      string
	}{
		"its path is found":     {role: found("/service-role/", trustPolicy), want: "service-role/Edge"},
		"one without a path":    {role: found("/", trustPolicy), want: "Edge"},
		"it does not exist":     {missing: true, kind: fault.NotFound},
		"it trusts others":      {role: found("/", `{"Version":"2012-10-17","Statement":[]}`), kind: fault.Usage},
		"it cannot be asked":    {err: fault.New(fault.Auth, "read role Edge", "not allowed: iam:GetRole"), unchecked: true, want: "Edge"},
		"its policy is no JSON": {role: found("/", "%%%"), unchecked: true, want: "Edge"},
	} {
		t.Run(name, func(t *testing.T) {
			s, _, roles := newMocks(t)
			roles.EXPECT().Role(gomock.Any(), "Edge").Return(tt.role, !tt.missing, tt.err)
			got, err := s.CheckRole(t.Context(), Role{Name: "Edge"})
			var unchecked *Unchecked
			switch {
			case errors.As(err, &unchecked) != tt.unchecked:
				t.Fatalf("got %v", err)
			case tt.want == "" && fault.KindOf(err) != tt.kind:
				t.Fatalf("got %v, want %v", err, tt.kind)
			case tt.want != "" && !tt.unchecked && err != nil:
				t.Fatal(err)
			case tt.want != "" && got.String() != tt.want:
				t.Errorf("the role is %s, want %s", got, tt.want)
			}
		})
	}
}

func TestIAMThatDoesNotAnswerHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, roles := newMocks(t)
		roles.EXPECT().Role(gomock.Any(), "Edge").DoAndReturn(func(ctx context.Context, _ string) (iam.Role, bool, error) {
			<-ctx.Done()
			return iam.Role{}, false, ctx.Err()
		})
		start := time.Now()
		var unchecked *Unchecked
		if _, err := s.CheckRole(t.Context(), Role{Name: "Edge"}); !errors.As(err, &unchecked) {
			t.Errorf("got %v", err)
		}
		if d := time.Since(start); d != roleWait {
			t.Errorf("it took %v", d)
		}
	})
}

func TestWatchYieldsEachNodeOnceUntilAllAreThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, api, _ := newMocks(t)
		node := func(id string) types.InstanceInformation {
			return types.InstanceInformation{InstanceId: aws.String(id), PingStatus: types.PingStatusOnline}
		}
		registered := int32(1)
		api.EXPECT().DescribeActivations(gomock.Any(), gomock.Any()).DoAndReturn(func(context.Context, *ssm.DescribeActivationsInput, ...func(*ssm.Options)) (*ssm.DescribeActivationsOutput, error) {
			defer func() { registered = min(3, registered+1) }()
			return &ssm.DescribeActivationsOutput{ActivationList: []types.Activation{item(testID, registered, 3, false)}}, nil
		}).AnyTimes()
		lists := [][]types.InstanceInformation{{node("mi-1")}, {node("mi-1"), node("mi-2")}, {node("mi-1"), node("mi-2")}, {node("mi-3"), node("mi-2")}}
		api.EXPECT().DescribeInstanceInformation(gomock.Any(), gomock.Any()).DoAndReturn(func(context.Context, *ssm.DescribeInstanceInformationInput, ...func(*ssm.Options)) (*ssm.DescribeInstanceInformationOutput, error) {
			l := lists[0]
			lists = lists[1:]
			return &ssm.DescribeInstanceInformationOutput{InstanceInformationList: l}, nil
		}).Times(4)
		var got []string
		for n, err := range s.Watch(t.Context(), testID, nil) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, n.ID)
		}
		if strings.Join(got, " ") != "mi-1 mi-2 mi-3" {
			t.Errorf("got %v", got)
		}
	})
}

func TestWatchEndsWhenTheActivationDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, api, _ := newMocks(t)
		api.EXPECT().DescribeActivations(gomock.Any(), gomock.Any()).Return(&ssm.DescribeActivationsOutput{ActivationList: []types.Activation{item(testID, 1, 3, true)}}, nil).AnyTimes()
		api.EXPECT().DescribeInstanceInformation(gomock.Any(), gomock.Any()).Return(&ssm.DescribeInstanceInformationOutput{}, nil).AnyTimes()
		start := time.Now()
		var last error
		for _, err := range s.Watch(t.Context(), testID, nil) {
			last = err
		}
		if fault.KindOf(last) != fault.Pending {
			t.Errorf("it ends with %v", last)
		}
		if d := time.Since(start); d < watchGrace || d > watchGrace+time.Minute {
			t.Errorf("the node that is never listed is waited for %v", d)
		}
	})
}

func TestWatchCanBeStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, api, _ := newMocks(t)
		ctx, cancel := context.WithCancel(t.Context())
		api.EXPECT().DescribeActivations(gomock.Any(), gomock.Any()).Return(&ssm.DescribeActivationsOutput{ActivationList: []types.Activation{item(testID, 0, 3, false)}}, nil)
		api.EXPECT().DescribeInstanceInformation(gomock.Any(), gomock.Any()).DoAndReturn(func(context.Context, *ssm.DescribeInstanceInformationInput, ...func(*ssm.Options)) (*ssm.DescribeInstanceInformationOutput, error) {
			cancel()
			return &ssm.DescribeInstanceInformationOutput{}, nil
		})
		var last error
		for _, err := range s.Watch(ctx, testID, nil) {
			last = err
		}
		if fault.KindOf(last) != fault.Interrupted {
			t.Errorf("it ends with %v", last)
		}
	})
}
