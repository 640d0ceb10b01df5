package config

import "fmt"

// Key names a setting, as it is written in the file.
type Key string

// The keys.
const (
	Context     Key = "context"
	Profile     Key = "profile"
	Region      Key = "region"
	RoleARN     Key = "role_arn"
	Regions     Key = "regions"
	Accounts    Key = "accounts"
	Role        Key = "role"
	ExternalID  Key = "external_id"
	EndpointURL Key = "endpoint_url"
	Output      Key = "output"
	Theme       Key = "theme"
	Color       Key = "color"
	ASCII       Key = "ascii"
	ReadOnly    Key = "readonly"
	Protected   Key = "protected"
	NoPrompt    Key = "no_prompt"
	Debug       Key = "debug"
	LogFile     Key = "log_file"
	CacheDirKey Key = "cache_dir"
	Escape      Key = "escape_char"
	History     Key = "history"
)

// spec says where a key may be set and where its value goes.
type spec struct {
	key       Key
	flag, env string // empty: cannot be set there
	def       string
	// sticky: true from any source wins.
	sticky bool
	field  func(*Settings) any // *string or *bool
}

// specs is the table of all keys, in the order `config explain` shows them. It
// is never written to.
var specs = [...]spec{
	{key: Context, flag: "context", env: "SSMDECK_CONTEXT", field: func(s *Settings) any { return &s.Context }},
	{key: Profile, flag: "profile", env: "SSMDECK_PROFILE", field: func(s *Settings) any { return &s.Profile }},
	{key: Region, flag: "region", env: "SSMDECK_REGION", field: func(s *Settings) any { return &s.Region }},
	{key: RoleARN, field: func(s *Settings) any { return &s.RoleARN }},
	{key: Regions, flag: "regions", env: "SSMDECK_REGIONS", field: func(s *Settings) any { return &s.Regions }},
	{key: Accounts, flag: "accounts", env: "SSMDECK_ACCOUNTS", field: func(s *Settings) any { return &s.Accounts }},
	{key: Role, flag: "role", env: "SSMDECK_ROLE", field: func(s *Settings) any { return &s.Role }},
	{key: ExternalID, flag: "external-id", field: func(s *Settings) any { return &s.ExternalID }},
	{key: EndpointURL, flag: "endpoint-url", env: "SSMDECK_ENDPOINT_URL", field: func(s *Settings) any { return &s.EndpointURL }},
	{key: Output, flag: "output", env: "SSMDECK_OUTPUT", field: func(s *Settings) any { return &s.Output }},
	{key: Theme, flag: "theme", env: "SSMDECK_THEME", def: "auto", field: func(s *Settings) any { return &s.Theme }},
	{key: Color, flag: "color", env: "SSMDECK_COLOR", def: "auto", field: func(s *Settings) any { return &s.Color }},
	{key: ASCII, flag: "ascii", env: "SSMDECK_ASCII", def: "false", field: func(s *Settings) any { return &s.ASCII }},
	{key: ReadOnly, flag: "read-only", env: "SSMDECK_READ_ONLY", def: "false", sticky: true, field: func(s *Settings) any { return &s.ReadOnly }},
	{key: Protected, def: "false", field: func(s *Settings) any { return &s.Protected }},
	{key: NoPrompt, flag: "no-input", env: "SSMDECK_NO_PROMPT", def: "false", field: func(s *Settings) any { return &s.NoPrompt }},
	{key: Debug, flag: "debug", env: "SSMDECK_DEBUG", def: "false", field: func(s *Settings) any { return &s.Debug }},
	{key: LogFile, flag: "log-file", env: "SSMDECK_LOG_FILE", field: func(s *Settings) any { return &s.LogFile }},
	{key: CacheDirKey, env: "SSMDECK_CACHE_DIR", field: func(s *Settings) any { return &s.CacheDir }},
	{key: Escape, env: "SSMDECK_ESCAPE_CHAR", def: "~", field: func(s *Settings) any { return &s.Escape }},
	{key: History, env: "SSMDECK_HISTORY", def: "on", field: func(s *Settings) any { return &s.History }},
}

func specOf(k Key) *spec {
	for i := range specs {
		if specs[i].key == k {
			return &specs[i]
		}
	}
	panic("config: no such key: " + string(k))
}

// Variable is an environment variable ssmdeck reads.
type Variable struct {
	Name string
	Doc  string // one line, lower case, no full stop
}

// Variables returns the variables that settings are read from, in the order of
// `ssmdeck help environment`, which is printed from it.
func Variables() []Variable {
	return []Variable{
		{"SSMDECK_CONFIG", "configuration file, in place of the usual one"},
		{"SSMDECK_CONTEXT", "context of the configuration file to use"},
		{"SSMDECK_PROFILE", "AWS profile, in place of AWS_PROFILE"},
		{"SSMDECK_REGION", "AWS Region, in place of AWS_REGION"},
		{"SSMDECK_REGIONS", "Regions of lists over several, as --regions has them"},
		{"SSMDECK_ACCOUNTS", "accounts of lists over several, as --accounts has them"},
		{"SSMDECK_ROLE", "role to assume in each of these accounts"},
		{"SSMDECK_ENDPOINT_URL", "endpoint of Systems Manager: the simulator, a VPC endpoint"},
		{"SSMDECK_OUTPUT", "output format: table, wide, json, jsonl, yaml, csv, text, name"},
		{"SSMDECK_COLOR", "auto, always or never; NO_COLOR, CLICOLOR_FORCE and CLICOLOR are read after it"},
		{"SSMDECK_THEME", "auto, dark, light, dusk, dawn, contrast, contrast-light, plain, or a theme of your own"},
		{"SSMDECK_ASCII", "true draws with ASCII characters only"},
		{"SSMDECK_READ_ONLY", "true refuses every operation that changes something"},
		{"SSMDECK_NO_PROMPT", "true never asks: what needs an answer fails and names the flag that gives it"},
		{"SSMDECK_DEBUG", "true logs every API call, with secrets masked"},
		{"SSMDECK_LOG_FILE", "file for the log"},
		{"SSMDECK_CACHE_DIR", "folder for caches, in place of the usual one"},
		{"SSMDECK_ESCAPE_CHAR", "escape character of `ssmdeck shell`, ~ by default, or none"},
		{"SSMDECK_HISTORY", "off keeps no numbers of what looks at patching counted (see `ssmdeck patch history`)"},
	}
}

// Source is the kind of place a value came from. The zero Source is
// FromDefault.
type Source int

// The sources, weakest first.
const (
	FromDefault Source = iota
	FromFile
	FromEnv
	FromFlag
)

// Origin is the place a value came from.
type Origin struct {
	Source Source
	Name   string // the flag with its dashes, the variable, the file's path
	Line   int    // in the file, from 1
}

// String returns "flag --output", "env SSMDECK_OUTPUT", "file path:line" or
// "default".
func (o Origin) String() string {
	switch o.Source {
	case FromFlag:
		return "flag " + o.Name
	case FromEnv:
		return "env " + o.Name
	case FromFile:
		return fmt.Sprintf("file %s:%d", o.Name, o.Line)
	default:
		return "default"
	}
}

// place is the origin as the start of an error.
func (o Origin) place() string {
	if o.Source == FromFile {
		return fmt.Sprintf("%s:%d", o.Name, o.Line)
	}
	return o.Name
}

// Explained is one setting as `config explain` shows it.
type Explained struct {
	Key    Key
	Value  string
	Origin Origin
}

// Explain returns every setting, its value and its origin.
func (s *Settings) Explain() []Explained {
	all := make([]Explained, 0, len(specs))
	for i := range specs {
		e := Explained{Key: specs[i].key, Origin: s.origins[specs[i].key]}
		switch p := specs[i].field(s).(type) {
		case *string:
			e.Value = *p
		case *bool:
			e.Value = fmt.Sprint(*p)
		}
		all = append(all, e)
	}
	return all
}

// Origin returns where the value of k came from.
func (s *Settings) Origin(k Key) Origin { return s.origins[k] }
