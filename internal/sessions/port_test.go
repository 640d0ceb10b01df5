package sessions

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/golang/mock/gomock"

	"github.com/ssmdeck/ssmdeck/portforward"
	"github.com/ssmdeck/ssmdeck/sessionclient"
)

func TestPortOpenerChoosesTheDocument(t *testing.T) {
	tests := []struct {
		spec     string
		document string
		want     string
	}{
		{"8080:80", DocumentPort, "map[localPortNumber:[8080] portNumber:[80]]"},
		{"0:80", DocumentPort, "map[portNumber:[80]]"},
		{"15432:db.internal:5432", DocumentRemoteHost, "map[host:[db.internal] localPortNumber:[15432] portNumber:[5432]]"},
	}
	for _, tt := range tests {
		t.Run(tt.spec, func(t *testing.T) {
			spec, err := portforward.ParseSpec(tt.spec)
			if err != nil {
				t.Fatal(err)
			}
			m := NewMockapi(gomock.NewController(t))
			m.EXPECT().StartSession(gomock.Any(), gomock.Any()).DoAndReturn(
				func(_ context.Context, in *ssm.StartSessionInput, _ ...func(*ssm.Options)) (*ssm.StartSessionOutput, error) {
					if got := fmt.Sprint(in.Parameters); aws.ToString(in.DocumentName) != tt.document || got != tt.want {
						t.Errorf("sent %s %s, want %s %s", aws.ToString(in.DocumentName), got, tt.document, tt.want)
					}
					return started(), nil
				})
			m.EXPECT().TerminateSession(gomock.Any(), gomock.Any()).Return(&ssm.TerminateSessionOutput{}, nil)
			o := &PortOpener{
				Service: newService(m, noChannel{}, Options{}), Target: node,
				Options: []sessionclient.Option{dialing(newScript(output("x")), nil)},
			}
			s, err := o.Open(t.Context(), spec, func(sessionclient.Event) {})
			if err != nil {
				t.Fatal(err)
			}
			_ = s.Close()
		})
	}
}
