package awsapi

import (
	"errors"
	"regexp"
	"testing"
)

func TestToken(t *testing.T) {
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	a, b := Token(), Token()
	if !uuid.MatchString(a) || !uuid.MatchString(b) || a == b {
		t.Errorf("tokens %q and %q, want two UUIDs of version 4", a, b)
	}
}

func TestAgainAsksOnceMoreWithoutAnAnswer(t *testing.T) {
	calls := 0
	got, err := Again(t.Context(), func() (int, error) {
		if calls++; calls == 1 {
			return 0, &sentOnceError{"CreateX", errors.New("EOF")}
		}
		return calls, nil
	})
	if got != 2 || err != nil {
		t.Errorf("got %d, %v; want the answer to the second call", got, err)
	}
}

func TestAgainLeavesAnAnswerAlone(t *testing.T) {
	refused := errors.New("refused")
	calls := 0
	_, err := Again(t.Context(), func() (int, error) {
		calls++
		return 0, refused
	})
	if calls != 1 || !errors.Is(err, refused) {
		t.Errorf("%d calls, %v; want one, and its error", calls, err)
	}
}
