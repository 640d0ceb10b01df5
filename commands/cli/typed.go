package cli

import "path/filepath"

// Global flags for a program of ours that ssh starts. PlaceFlags say which
// account is meant, CallFlags how this one call behaves. Variables pass by
// themselves.
var (
	PlaceFlags = []string{"profile", "region", "endpoint-url", "context", "config"}
	CallFlags  = []string{"log-file", "read-only", "debug", "quiet"}
)

// TypedFlags returns those of the named global flags that were typed, as
// arguments. Paths become absolute.
func (e *Env) TypedFlags(names ...string) (args []string) {
	if e.Flags.Set == nil {
		return nil
	}
	for _, name := range names {
		f := e.Flags.Set.Lookup(name)
		if f == nil || !f.Changed {
			continue
		}
		value := f.Value.String()
		switch {
		case value == "true" && f.Value.Type() == "bool":
			args = append(args, "--"+name)
			continue
		case f.Value.Type() == "bool":
			args = append(args, "--"+name+"="+value)
			continue
		case name == "config" || name == "log-file":
			if abs, err := filepath.Abs(value); err == nil {
				value = abs
			}
		}
		args = append(args, "--"+name, value)
	}
	return args
}
