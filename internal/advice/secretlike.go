package advice

import (
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// secretWords are parts of names that secrets have.
var secretWords = []string{
	"password", "passwd", "pwd", "passphrase", "passcode", "secret", "secrets", "token", "apikey", "credential", "credentials",
	"privatekey", "accesskey", "secretkey", "signingkey", "encryptionkey", "masterkey", "licensekey", "webhooksecret", "connectionstring",
}

// plainEnds are last words of names that only speak of a secret: where it is, how long it
// lives.
var plainEnds = []string{
	"arn", "name", "id", "path", "url", "uri", "endpoint", "host", "length", "policy", "ttl", "expiry", "expiration", "timeout", "type",
	"enabled", "version", "count", "rotation", "lifetime", "issuer", "audience", "file", "prefix",
}

// words cuts the last part of a name into words, in lower case: dbPassword_v2 is db,
// password, v2.
func words(name string) (list []string) {
	last := name[strings.LastIndexByte(name, '/')+1:]
	start, low := 0, false
	add := func(end int) {
		if end > start {
			list = append(list, strings.ToLower(last[start:end]))
		}
	}
	for i, r := range last {
		switch {
		case r == '-' || r == '_' || r == '.':
			add(i)
			start = i + 1
		case r >= 'A' && r <= 'Z' && low:
			add(i)
			start = i
		}
		low = r >= 'a' && r <= 'z'
	}
	add(len(last))
	return list
}

// NamesSecret reports whether the name of a parameter says that it is a secret.
func NamesSecret(name string) bool {
	list := words(name)
	if len(list) == 0 || slices.Contains(plainEnds, list[len(list)-1]) {
		return false
	}
	for i, w := range list {
		if slices.Contains(secretWords, w) || i+1 < len(list) && slices.Contains(secretWords, w+list[i+1]) {
			return true
		}
	}
	return false
}

// databaseWords are parts of names of what a rotation function for databases can change.
var databaseWords = []string{
	"db", "database", "rds", "aurora", "postgres", "postgresql", "pg", "mysql", "mariadb", "mssql", "sqlserver", "oracle", "redshift",
	"mongo", "mongodb", "docdb", "documentdb", "redis",
}

// namesDatabase reports whether the name says that it is the credential of a database.
func namesDatabase(name string) bool {
	about := strings.Split(strings.ToLower(name), "/")
	list := words(name)
	for _, part := range about {
		list = append(list, words(part)...)
	}
	database := slices.ContainsFunc(list, func(w string) bool { return slices.Contains(databaseWords, w) })
	return database && NamesSecret(name)
}

// formats are secrets that are known by their form. The forms are published by those who
// give the keys out, for tools that look for leaked ones.
var formats = []struct {
	what string
	form func() *regexp.Regexp
}{
	{"an AWS access key", pattern.Lazy(`\b(AKIA|ASIA)[A-Z2-7]{16}\b`)},
	{"a private key", pattern.Lazy(`-----BEGIN ([A-Z]+ )*PRIVATE KEY( BLOCK)?-----`)},
	{"a token of GitHub", pattern.Lazy(`\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})\b`)},
	{"a token of GitLab", pattern.Lazy(`\bglpat-[A-Za-z0-9_-]{20,}`)},
	{"a token of Slack", pattern.Lazy(`\bxox[abeprs]-[A-Za-z0-9-]{10,}`)},
	{"a key of Stripe", pattern.Lazy(`\b[rs]k_live_[A-Za-z0-9]{16,}`)},
	{"a key of Google", pattern.Lazy(`\bAIza[A-Za-z0-9_-]{35}`)},
	{"a key of SendGrid", pattern.Lazy(`\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}`)},
	{"a JSON web token", pattern.Lazy(`\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`)},
}

// userInfo is the beginning of a URL with a user and a password that is no placeholder;
// assigned is a password in a connection string.
var (
	userInfo = pattern.Lazy(`\b([a-zA-Z][a-zA-Z0-9+.-]*)://[^/\s:@"']*:[^@\s/"'$<{][^@\s/"']*@`)
	assigned = pattern.Lazy(`(?i)\b(password|pwd)\s*=\s*[^;&\s$<{]`)
)

// passwordURL reports whether a value has a URL with a password; database is whether that
// is one of a database.
func passwordURL(value string) (found, database bool) {
	for _, m := range userInfo().FindAllStringSubmatch(value, -1) {
		found = true
		database = database || databaseScheme(m[1])
	}
	return found, database
}

func databaseScheme(scheme string) bool {
	base, _, _ := strings.Cut(strings.ToLower(scheme), "+")
	return slices.Contains([]string{"postgres", "postgresql", "mysql", "mariadb", "sqlserver", "mssql", "oracle", "mongodb", "redis", "rediss", "redshift"}, base)
}

// SecretForm says what kind of secret a value is by its form, "" when it has none.
func SecretForm(value string) string {
	for _, f := range formats {
		if f.form().MatchString(value) {
			return f.what
		}
	}
	if found, _ := passwordURL(value); found {
		return "a URL with a password"
	}
	if assigned().MatchString(value) {
		return "a connection string with a password"
	}
	for key, v := range jsonMembers(value) {
		if text, ok := v.(string); ok && text != "" && NamesSecret(key) {
			return "JSON with a secret in it" // the name of the member is a part of the value
		}
	}
	if random(value) {
		return "a text as random as a key"
	}
	return ""
}

// jsonMembers are the members of a value that is a JSON object.
func jsonMembers(value string) map[string]any {
	if !strings.HasPrefix(strings.TrimSpace(value), "{") {
		return nil
	}
	var m map[string]any
	if json.Unmarshal([]byte(value), &m) != nil {
		return nil
	}
	return m
}

var (
	hexKey    = pattern.Lazy(`^[0-9a-fA-F]{32,}$`)
	base64Key = pattern.Lazy(`^[A-Za-z0-9+/_-]{24,}={0,2}$`)
	plainID   = pattern.Lazy(`^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|(ami|i|vpc|subnet|sg|mi|vol|snap|eni|rtb|igw|nat|eipalloc|fs|lt)-[0-9a-f]{8,17}|sha(256|512)[:-].*|[0-9]+)$`)
)

// The bits of a character above which a text is as random as a key: texts of 32
// hexadecimal digits that are random have 3.3 or more nearly always, and 24 characters
// of base64 3.9; words and paths have less or are told apart by their form.
const (
	hexBits    = 3.0
	base64Bits = 3.9
)

// random reports whether a value is one word that looks drawn by lot, and is no id.
func random(value string) bool {
	switch {
	case plainID().MatchString(value), strings.HasPrefix(value, "/"), strings.HasPrefix(value, "arn:"):
		return false
	case hexKey().MatchString(value):
		return entropy(value) >= hexBits
	case base64Key().MatchString(value):
		return entropy(value) >= base64Bits && classes(value) >= 3
	}
	return false
}

// classes counts which of lower case, upper case and digits a text has.
func classes(s string) (n int) {
	for _, set := range []string{"abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"} {
		if strings.ContainsAny(s, set) {
			n++
		}
	}
	return n
}

// entropy is the information of a character of s in bits, from how often each is there.
func entropy(s string) (bits float64) {
	var counts [256]int
	for i := range len(s) {
		counts[s[i]]++
	}
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(s))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}
