package sessionlog

import (
	"context"

	"github.com/ssmdeck/ssmdeck/internal/preferences"
	"github.com/ssmdeck/ssmdeck/internal/sessions"
)

//go:generate go tool mockgen -source=api.go -destination=mock_api_test.go -package=sessionlog
//go:generate go tool mockgen -source=../logstore/api.go -destination=mock_store_test.go -package=sessionlog

// finder knows sessions; *sessions.Service satisfies it.
type finder interface {
	Get(ctx context.Context, id string) (sessions.Entry, error)
}

// settings knows Session documents; *preferences.Service satisfies it.
type settings interface {
	Get(ctx context.Context, document string) (preferences.Preferences, error)
}
