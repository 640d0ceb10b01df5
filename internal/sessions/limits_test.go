package sessions

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/golang/mock/gomock"
)

func TestParseLimits(t *testing.T) {
	tests := []struct {
		name, content string
		want          Limits
		ok            bool
	}{
		{"as the console writes it", `{"inputs":{"idleSessionTimeout":"30","maxSessionDuration":"60"}}`, Limits{30 * time.Minute, time.Hour}, true},
		{"numbers", `{"inputs":{"idleSessionTimeout":5,"maxSessionDuration":1440}}`, Limits{5 * time.Minute, 24 * time.Hour}, true},
		{"empty texts", `{"inputs":{"idleSessionTimeout":"","maxSessionDuration":""}}`, Limits{20 * time.Minute, 0}, true},
		{"nothing set", `{"inputs":{}}`, Limits{20 * time.Minute, 0}, true},
		{"nonsense", `{"inputs":{"idleSessionTimeout":"soon","maxSessionDuration":1e9}}`, Limits{20 * time.Minute, 0}, true},
		{"no settings", `{"schemaVersion":"1.0"}`, Limits{}, false},
		{"no document", "schemaVersion: '1.0'", Limits{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := parseLimits(tt.content); got != tt.want || ok != tt.ok {
				t.Errorf("got %+v, %t; want %+v, %t", got, ok, tt.want, tt.ok)
			}
		})
	}
}

// limitsOf reads the limits of a document from documents by name.
func limitsOf(t *testing.T, document string, contents map[string]string) (Limits, bool) {
	t.Helper()
	api := NewMockapi(gomock.NewController(t))
	api.EXPECT().GetDocument(gomock.Any(), gomock.Any()).AnyTimes().DoAndReturn(
		func(_ context.Context, in *ssm.GetDocumentInput, _ ...func(*ssm.Options)) (*ssm.GetDocumentOutput, error) {
			content, ok := contents[aws.ToString(in.Name)]
			if !ok {
				return nil, errors.New("denied")
			}
			return &ssm.GetDocumentOutput{Content: &content}, nil
		})
	l := newService(api, noChannel{}, Options{Log: slog.New(slog.DiscardHandler)}).readLimits(t.Context(), document)
	<-l.done
	l.stop()
	return (&Session{limits: l}).Limits()
}

func TestLimitsOfADocument(t *testing.T) {
	const ten, twenty = `{"inputs":{"idleSessionTimeout":"10"}}`, `{"inputs":{"idleSessionTimeout":"25"}}`
	for _, tt := range []struct {
		name, document string
		contents       map[string]string
		want           time.Duration // 0: not known
	}{
		{"the account's", "", map[string]string{documentPreferences: ten}, 10 * time.Minute},
		{"the document's own", "Mine", map[string]string{"Mine": twenty, documentPreferences: ten}, 25 * time.Minute},
		{"a document without settings", "Mine", map[string]string{"Mine": "{}", documentPreferences: ten}, 10 * time.Minute},
		{"not allowed", "", nil, 0},
		{"the document not allowed", "Mine", map[string]string{documentPreferences: ten}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := limitsOf(t, tt.document, tt.contents)
			if got.Idle != tt.want || ok != (tt.want > 0) {
				t.Errorf("got %+v, %t", got, ok)
			}
		})
	}
	if _, ok := (&Session{}).Limits(); ok {
		t.Error("limits that nobody asked for are known")
	}
}
