package preferences

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// maxProfile is how many characters a shell profile may have (guide page "Allow
// configurable shell profiles").
const maxProfile = 512

// Setting is one setting: the name people type and the input it is kept in.
type Setting struct {
	Name    string // idle-timeout
	Input   string // idleSessionTimeout
	Default any    // what applies where the document does not say
	Form    string // of its values, for help and errors

	read func(string) (any, error) // a value as typed
	show func(string) string       // the input's text for people
}

// settings are all there are, in the order they are shown.
var settings = []Setting{
	{"s3-bucket", "s3BucketName", "", "BUCKET or off", offOr(bucketName), orOff},
	{"s3-prefix", "s3KeyPrefix", "", "PREFIX or off", offOr(keyPrefix), orOff},
	{"s3-encryption", "s3EncryptionEnabled", true, "on or off: sessions need an encrypted bucket", onOff, switched},
	{"log-group", "cloudWatchLogGroupName", "", "GROUP or off", offOr(logGroup), orOff},
	{"log-encryption", "cloudWatchEncryptionEnabled", true, "on or off: sessions need a log group encrypted with KMS", onOff, switched},
	{"streaming", "cloudWatchStreamingEnabled", false, "on or off: log to CloudWatch while the session runs", onOff, switched},
	{"kms-key", "kmsKeyId", "", "id, alias/NAME or ARN of a KMS key, or off", offOr(kmsKey), orOff},
	{"run-as", "runAsEnabled", false, "a USER of the nodes, on (the user of the principal's tag SSMSessionRunAs) or off", onOff, switched},
	{"run-as-user", "runAsDefaultUser", "", "USER or off", offOr(userName), orOff},
	{"idle-timeout", "idleSessionTimeout", "20", "1m to 60m", minutes(60, false), inMinutes("20m")},
	{"max-duration", "maxSessionDuration", "", "1m to 24h, or off", minutes(1440, true), inMinutes("off")},
	{"shell-profile-linux", "shellProfile.linux", "", "commands or @FILE, at most 512 characters, or off", offOr(profile), orOff},
	{"shell-profile-windows", "shellProfile.windows", "", "commands or @FILE, at most 512 characters, or off", offOr(profile), orOff},
}

// Settings returns all settings in the order they are shown.
func Settings() []Setting { return append([]Setting(nil), settings...) }

func byName(name string) (Setting, bool) {
	return find(func(s Setting) bool { return s.Name == name })
}

func byInput(input string) (Setting, bool) {
	return find(func(s Setting) bool { return s.Input == input })
}

func find(fits func(Setting) bool) (Setting, bool) {
	for _, s := range settings {
		if fits(s) {
			return s, true
		}
	}
	return Setting{}, false
}

// unknownSetting is the error for a name that is none, with the nearest.
func unknownSetting(name string) error {
	var names []string
	for _, s := range settings {
		names = append(names, s.Name)
	}
	err := fault.Usagef("there is no setting %q", name)
	if near := fault.Nearest(name, names); near != "" {
		return err.WithHint("did you mean %s?", near)
	}
	return err.WithHint("the settings are %s", strings.Join(names, ", "))
}

// Value is a setting in words for people: "20m", "off", "alias/sessions".
func (p Preferences) Value(s Setting) string { return s.show(p.Text(s.Input)) }

// IsDefault reports whether a setting is what applies without any document.
func (p Preferences) IsDefault(s Setting) bool { return p.Text(s.Input) == plain(s.Default) }

// With returns p with settings changed as pairs NAME=VALUE say. The value
// "default" stands for the default. Errors are of kind Usage.
func (p Preferences) With(pairs []string) (Preferences, error) {
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return p, fault.Usagef("%q is not of the form NAME=VALUE", pair).WithHint("such as idle-timeout=30m")
		}
		if err := p.change(name, value); err != nil {
			return p, err
		}
	}
	return p, nil
}

// change sets one setting by its name.
func (p *Preferences) change(name, value string) error {
	s, ok := byName(name)
	if !ok {
		return unknownSetting(name)
	}
	if value == "default" {
		p.put(s.Input, s.Default)
		return nil
	}
	if s.Name == "run-as" && value != "on" && value != "off" && value != "true" && value != "false" {
		if err := p.change("run-as-user", value); err != nil {
			return err
		}
		value = "on"
	}
	v, err := s.read(value)
	if err != nil {
		return fault.Usagef("%s: %v", name, err).WithHint("%s takes %s", name, s.Form)
	}
	p.put(s.Input, v)
	return nil
}

// plain is an input as text.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	case map[string]any, []any:
		b, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return string(b)
	default:
		return fmt.Sprint(v)
	}
}

func orOff(s string) string {
	if s == "" {
		return "off"
	}
	return s
}

func switched(s string) string {
	switch strings.ToLower(s) {
	case "true":
		return "on"
	case "false", "":
		return "off"
	default:
		return s // a placeholder
	}
}

// inMinutes shows a number of minutes; none is what the service makes of it.
func inMinutes(none string) func(string) string {
	return func(s string) string {
		n, err := strconv.Atoi(strings.TrimSpace(s))
		switch {
		case s == "":
			return none
		case err != nil:
			return s
		case n%60 == 0 && n > 60:
			return fmt.Sprintf("%dh", n/60)
		}
		return fmt.Sprintf("%dm", n)
	}
}

// onOff reads a switch.
func onOff(v string) (any, error) {
	switch strings.ToLower(v) {
	case "on", "true", "yes":
		return true, nil
	case "off", "false", "no":
		return false, nil
	}
	if isPlaceholder(v) {
		return v, nil
	}
	return nil, fmt.Errorf("%q is neither on nor off", v)
}

// isPlaceholder reports whether v is filled from a parameter of the document.
func isPlaceholder(v string) bool { return strings.HasPrefix(v, "{{") && strings.HasSuffix(v, "}}") }

// offOr reads "off" as nothing and the rest with check.
func offOr(check func(string) error) func(string) (any, error) {
	return func(v string) (any, error) {
		if v == "off" || v == "" {
			return "", nil
		}
		if isPlaceholder(v) {
			return v, nil
		}
		return v, check(v)
	}
}

// minutes reads a duration in whole minutes, or a bare number of them. The
// service wants it as text.
func minutes(limit int, off bool) func(string) (any, error) {
	return func(v string) (any, error) {
		switch {
		case off && (v == "off" || v == ""):
			return "", nil
		case isPlaceholder(v):
			return v, nil
		}
		n, err := strconv.Atoi(v)
		if err != nil {
			d, derr := time.ParseDuration(v)
			if derr != nil {
				return nil, fmt.Errorf("%q is not a duration", v)
			}
			if d%time.Minute != 0 {
				return nil, fmt.Errorf("%s is not a number of whole minutes", v)
			}
			n = int(d / time.Minute)
		}
		if n < 1 || n > limit {
			return nil, fmt.Errorf("%s is not from 1 to %d minutes", v, limit)
		}
		return strconv.Itoa(n), nil
	}
}

// The rules of the services that the values belong to. Compiling them takes a
// millisecond, so it waits until one is needed.
const (
	buckets = `^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`
	groups  = `^[.\-_/#A-Za-z0-9]{1,512}$`
	keys    = `^(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)/[a-zA-Z0-9/_-]+|alias/[a-zA-Z0-9/_-]{1,250}|(mrk-)?[0-9a-f-]{32,36})$`
	users   = `^[a-zA-Z0-9_.][a-zA-Z0-9_.@\\+-]{0,127}\$?$`
)

func bucketName(v string) error { return match(buckets, v, "a bucket's name") }
func logGroup(v string) error   { return match(groups, v, "a log group's name") }
func kmsKey(v string) error     { return match(keys, v, "a KMS key's id, alias or ARN") }
func userName(v string) error   { return match(users, v, "a user's name") }

func match(rule, v, what string) error {
	if !regexp.MustCompile(rule).MatchString(v) {
		return fmt.Errorf("%q is not %s", v, what)
	}
	return nil
}

func keyPrefix(v string) error {
	if len(v) > 500 || !utf8.ValidString(v) {
		return fmt.Errorf("it is longer than 500 bytes or not UTF-8")
	}
	if strings.HasPrefix(v, "/") || strings.HasPrefix(v, "s3://") {
		return fmt.Errorf("%q does not begin like a key: leave out the slash or the bucket", v)
	}
	return nil
}

func profile(v string) error {
	if n := utf8.RuneCountInString(v); n > maxProfile {
		return fmt.Errorf("it has %d characters, the service takes %d", n, maxProfile)
	}
	return nil
}
