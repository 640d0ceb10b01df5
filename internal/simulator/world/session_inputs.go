package world

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// SessionInputs are the settings of a session that stand in a Session document.
type SessionInputs struct {
	Logging
	KMSKeyID         string  `json:"kmsKeyId"`
	RunAsEnabled     boolean `json:"runAsEnabled"`
	RunAsDefaultUser string  `json:"runAsDefaultUser"`
	IdleTimeout      number  `json:"idleSessionTimeout"`
	MaxDuration      number  `json:"maxSessionDuration"`
	ShellProfile     struct {
		Windows string `json:"windows"`
		Linux   string `json:"linux"`
	} `json:"shellProfile"`

	raw map[string]any // as written, placeholders and all
}

// Logging says where the output of a session is kept.
type Logging struct {
	Bucket    string  `json:"s3BucketName"`
	Prefix    string  `json:"s3KeyPrefix"`
	Group     string  `json:"cloudWatchLogGroupName"`
	Encrypted boolean `json:"cloudWatchEncryptionEnabled"` // the log group must be
	Streaming boolean `json:"cloudWatchStreamingEnabled"`
}

// UnmarshalJSON keeps what was written beside what it means.
func (in *SessionInputs) UnmarshalJSON(text []byte) error {
	type plain SessionInputs
	var p plain
	if err := json.Unmarshal(text, &p); err != nil {
		return err
	}
	*in = SessionInputs(p)
	return json.Unmarshal(text, &in.raw)
}

// boolean is one that documents may write as text.
type boolean bool

// UnmarshalJSON reads true, "true" and their opposites; a placeholder is false.
func (b *boolean) UnmarshalJSON(text []byte) error {
	*b = boolean(strings.EqualFold(strings.Trim(string(text), `"`), "true"))
	return nil
}

// number is a count that documents write as text or number; 0 when there is none.
type number int

// UnmarshalJSON reads 20 and "20"; anything else is none.
func (n *number) UnmarshalJSON(text []byte) error {
	i, err := strconv.Atoi(strings.TrimSpace(strings.Trim(string(text), `"`)))
	if err != nil || i < 0 {
		i = 0
	}
	*n = number(i)
	return nil
}

// Minutes is n minutes, or def when there are none.
func (n number) Minutes(def int) time.Duration {
	if n == 0 {
		n = number(def)
	}
	return time.Duration(n) * time.Minute
}
