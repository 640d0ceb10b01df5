package lint

import (
	"fmt"
	"slices"
	"strings"
)

var (
	sessionTypes = []string{"Standard_Stream", "InteractiveCommands", "NonInteractiveCommands", "Port"}
	sessionKeys  = []string{"schemaVersion", "description", "sessionType", "parameters", "inputs", "properties"}
	// sessionInputs are the settings of a Standard_Stream session (User Guide,
	// "Session document schema").
	sessionInputs = []string{
		"s3BucketName", "s3KeyPrefix", "s3EncryptionEnabled", "cloudWatchLogGroupName", "cloudWatchEncryptionEnabled",
		"cloudWatchStreamingEnabled", "kmsKeyId", "runAsEnabled", "runAsDefaultUser", "idleSessionTimeout", "maxSessionDuration", "shellProfile",
	}
	sessionProperties = map[string][]string{
		"InteractiveCommands":    {"linux", "windows", "macos"},
		"NonInteractiveCommands": {"linux", "windows", "macos", "separateOutputStream", "stdoutSeparatorPrefix", "stderrSeparatorPrefix"},
		"Port":                   {"portNumber", "type", "localPortNumber", "host", "localConnectionType", "socketType", "localUnixSocket"},
	}
)

// session checks Session documents.
func (l *linter) session() {
	l.declareParameters()
	l.keys(l.root, "", "a Session document", sessionKeys)
	kind := l.root.get("sessionType")
	if l.need(l.root, "", "a Session document", "sessionType") && !slices.Contains(sessionTypes, kind.string()) {
		l.add(kind, "sessionType", ruleValue, Error, near(kind.string(), sessionTypes), "sessionType is %s, not %q", strings.Join(sessionTypes, ", "), kind.string())
	}
	if in := l.root.get("inputs"); in != nil && l.want(in, "inputs", mapping) {
		l.keys(in, "inputs", "inputs", sessionInputs)
		l.number(in.get("idleSessionTimeout"), "inputs.idleSessionTimeout", 1, 60)
		if v := in.get("maxSessionDuration"); v.string() != "" {
			l.number(v, "inputs.maxSessionDuration", 1, 1440)
		}
		if p := in.get("shellProfile"); p != nil && l.want(p, "inputs.shellProfile", mapping) {
			l.keys(p, "inputs.shellProfile", "shellProfile", []string{"linux", "windows"})
		}
	}
	l.sessionProperties(kind.string())
	for _, r := range references(l.root, "") {
		l.checkReference(r, false)
	}
	l.unusedParameters()
}

func (l *linter) sessionProperties(kind string) {
	properties := l.root.get("properties")
	legal, known := sessionProperties[kind]
	if !known {
		return
	}
	if !l.need(l.root, "", "a "+kind+" document", "properties") || !l.want(properties, "properties", mapping) {
		return
	}
	l.keys(properties, "properties", kind, legal)
	if kind == "Port" {
		l.need(properties, "properties", "a Port document", "portNumber")
		return
	}
	some := false
	for _, platform := range []string{"linux", "windows", "macos"} {
		p := properties.get(platform)
		if p == nil {
			continue
		}
		some = true
		path := join("properties", platform)
		if !l.want(p, path, mapping) || p.kind != mapping {
			continue
		}
		l.keys(p, path, platform, []string{"commands", "runAsElevated"})
		if l.need(p, path, platform, "commands") {
			l.want(p.get("commands"), path+".commands", text, list)
			l.scripts(p.get("commands"), path+".commands", platform == "windows")
		}
	}
	if !some {
		l.add(properties, "properties", ruleMissingKey, Error, "", "%s needs commands for linux, windows or macos", kind)
	}
}

// pack checks the manifest of a Distributor package.
func (l *linter) pack() {
	l.keys(l.root, "", "a package's manifest", []string{"schemaVersion", "publisher", "description", "version", "packages", "files"})
	packages, files := l.root.get("packages"), l.root.get("files")
	if !l.need(l.root, "", "a package's manifest", "version", "packages", "files") || !l.want(packages, "packages", mapping) || !l.want(files, "files", mapping) {
		return
	}
	named := map[string]bool{}
	l.packages(packages, "packages", 0, files, named)
	if len(files.members) > 20 {
		l.add(files, "files", ruleValue, Error, "", "a package has at most 20 files, not %d", len(files.members))
	}
	for _, m := range files.members {
		path := join("files", m.key.text)
		if !named[m.key.text] {
			l.add(m.key, path, rulePackageFile, Warning, "", "no platform uses the file %s", m.key.text)
		}
		if !l.want(m.value, path, mapping) {
			continue
		}
		sum := m.value.get("checksums").get("sha256")
		switch v := sum.string(); {
		case sum == nil:
			l.add(m.key, path, ruleMissingKey, Error, "", "the file %s needs checksums.sha256", m.key.text)
		case len(v) != 64 || strings.Trim(strings.ToLower(v), "0123456789abcdef") != "":
			l.add(sum, path+".checksums.sha256", ruleValue, Error, "", "a SHA-256 sum has 64 hexadecimal digits")
		}
	}
}

// packages walks platform, version and architecture down to {file: NAME}.
func (l *linter) packages(n *node, path string, depth int, files *node, named map[string]bool) {
	if !l.want(n, path, mapping) || n.kind != mapping {
		return
	}
	if depth == 3 {
		file := n.get("file")
		if !l.need(n, path, "an architecture", "file") {
			return
		}
		named[file.string()] = true
		if files.get(file.string()) == nil {
			l.add(file, path+".file", rulePackageFile, Error, "", "files does not describe %s", file.string())
		}
		return
	}
	if len(n.members) == 0 {
		l.add(n, path, ruleMissingKey, Error, "", "%s is empty; it needs %s", last(path), [...]string{"a platform", "a version of the platform, or _any", "an architecture, or _any"}[depth])
	}
	for _, m := range n.members {
		l.packages(m.value, fmt.Sprintf("%s.%s", path, m.key.text), depth+1, files, named)
	}
}
