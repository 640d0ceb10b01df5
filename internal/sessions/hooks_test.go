package sessions

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/golang/mock/gomock"
)

// TestOpenedAndEnded: who writes sessions down learns of each before anything can
// go wrong, and of its end only when the service knows it.
func TestOpenedAndEnded(t *testing.T) {
	tests := []struct {
		name      string
		conn      *script
		terminate error
		calls     int
		want      []string
	}{
		{"closed by us", newScript(output("$ ")), nil, 1, []string{"opened me-1", "ended me-1"}},
		{"the service does not hear it", newScript(output("$ ")), errors.New("no network"), 1, []string{"opened me-1"}},
		{"ended by the service", newScript(output("$ "), closed("")), nil, 0, []string{"opened me-1", "ended me-1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var notes []string
			m := NewMockapi(gomock.NewController(t))
			m.EXPECT().StartSession(gomock.Any(), gomock.Any()).Return(started(), nil)
			m.EXPECT().TerminateSession(gomock.Any(), gomock.Any()).Times(tt.calls).DoAndReturn(
				func(context.Context, *ssm.TerminateSessionInput, ...func(*ssm.Options)) (*ssm.TerminateSessionOutput, error) {
					return &ssm.TerminateSessionOutput{}, tt.terminate
				})
			svc := newService(m, noChannel{}, Options{
				Opened: func(id string) { notes = append(notes, "opened "+id) },
				Ended:  func(id string) { notes = append(notes, "ended "+id) },
			})
			s, err := svc.Open(t.Context(), Request{Target: node}, dialing(tt.conn, nil))
			if err != nil {
				t.Fatal(err)
			}
			if tt.calls == 0 {
				<-s.Done()
			}
			_ = s.Close()
			_ = s.Close()
			if !slices.Equal(notes, tt.want) {
				t.Errorf("got %v, want %v", notes, tt.want)
			}
		})
	}
}

// TestNotingIsForOneCaller: the service that it was made from tells nobody.
func TestNotingIsForOneCaller(t *testing.T) {
	var notes []string
	m := NewMockapi(gomock.NewController(t))
	m.EXPECT().StartSession(gomock.Any(), gomock.Any()).Times(2).Return(started(), nil)
	m.EXPECT().TerminateSession(gomock.Any(), gomock.Any()).Times(2).Return(&ssm.TerminateSessionOutput{}, nil)
	quiet := newService(m, noChannel{}, Options{})
	noting := quiet.Noting(func(id string) { notes = append(notes, "opened "+id) }, func(id string) { notes = append(notes, "ended "+id) })
	for _, svc := range []*Service{quiet, noting} {
		s, err := svc.Open(t.Context(), Request{Target: node}, dialing(newScript(output("$ ")), nil))
		if err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
	}
	if want := []string{"opened me-1", "ended me-1"}; !slices.Equal(notes, want) {
		t.Errorf("got %v, want %v", notes, want)
	}
}
