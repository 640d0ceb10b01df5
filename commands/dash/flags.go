package dash

import (
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/config"
	"github.com/ssmdeck/ssmdeck/internal/grid"
)

// flags are the global flags that lead a command line from a shell to a place: those
// that were typed, and what tells the place from others that were asked for, whether
// they could be reached or not. Without a place they lead to all that the dashboard
// asks.
func (w *wiring) flags(at grid.Place) []string {
	var words []string
	add := func(flag, value string) {
		if value != "" {
			words = append(words, flag, value)
		}
	}
	s := w.settings
	typed := func(k config.Key) bool { return s.Origin(k).Source == config.FromFlag }
	add("--config", w.env.ConfigFile())
	if typed(config.Context) {
		add("--context", s.Context)
	}
	switch {
	case at.Profile != "":
		add("--profile", at.Profile)
	case len(w.spec.Profiles) > 1:
		for _, name := range w.spec.Profiles {
			add("--profile", name)
		}
	case typed(config.Profile):
		add("--profile", s.Profile)
	}
	accounts, region := at.Account, at.Region
	if at == (grid.Place{}) {
		if accounts = ""; typed(config.Accounts) {
			accounts = strings.Join(w.spec.Accounts, ",")
		}
		if region = ""; typed(config.Regions) {
			region = strings.Join(w.spec.Regions, ",")
		} else if typed(config.Region) {
			region = s.Region
		}
	} else if len(w.spec.Regions) == 0 && !typed(config.Region) {
		region = "" // there is but one, and the line goes there by itself
	}
	if len(w.spec.Accounts) > 0 && at.Profile == "" && accounts != "" {
		add("--accounts", accounts)
		add("--role", w.spec.Role)
		if typed(config.ExternalID) {
			add("--external-id", w.spec.ExternalID)
		}
	}
	add("--region", region)
	if typed(config.EndpointURL) {
		add("--endpoint-url", s.EndpointURL)
	}
	return words
}
