package awsapi

import (
	"bufio"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// Profiles returns the names of the profiles in the shared config and
// credentials files, sorted. lookup reads the environment (nil: the real one).
// Files that are missing or unreadable count as empty.
func Profiles(lookup func(string) (string, bool)) []string {
	if lookup == nil {
		lookup = os.LookupEnv
	}
	path := func(name, fallback string) string {
		if v, ok := lookup(name); ok && v != "" {
			return v
		}
		return fallback
	}
	names := sections(path("AWS_CONFIG_FILE", config.DefaultSharedConfigFilename()), true)
	names = append(names, sections(path("AWS_SHARED_CREDENTIALS_FILE", config.DefaultSharedCredentialsFilename()), false)...)
	slices.Sort(names)
	return slices.Compact(names)
}

// sections reads the profile names of an INI file. In the config file all but
// the default profile are written [profile NAME]; in the credentials file NAME
// stands alone.
func sections(path string, prefixed bool) []string {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	var names []string
	for sc := bufio.NewScanner(f); sc.Scan(); {
		line := strings.TrimSpace(sc.Text())
		end := strings.IndexByte(line, ']')
		if !strings.HasPrefix(line, "[") || end < 0 {
			continue
		}
		name := strings.TrimSpace(line[1:end])
		if prefixed && name != "default" {
			kind, rest, ok := strings.Cut(name, " ")
			if !ok || kind != "profile" {
				continue // sso-session, services
			}
			name = strings.TrimSpace(rest)
		}
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}

// unknownProfile names the profile and those that were perhaps meant.
func unknownProfile(name string, known []string) error {
	e := fault.New(fault.Usage, "load the AWS configuration", "there is no profile %q", name)
	switch near := fault.Closest(name, known, 3); {
	case len(near) > 0:
		return e.WithHint("did you mean --profile %s", strings.Join(near, " or "))
	case len(known) > 0:
		return e.WithHint("choose one of: %s", strings.Join(known[:min(len(known), 8)], ", "))
	default:
		return e.WithHint("make one with `aws configure --profile %s` or `aws configure sso`, or try `ssmdeck demo`", name)
	}
}
