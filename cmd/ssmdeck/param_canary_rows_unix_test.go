//go:build !windows

package main

// canaryRows says how each command of parameters is run by the test of what gets away,
// and those of `api` beside them. In args a ~ is a space within a word.
var canaryRows = map[string][]canaryRun{
	"param list": {
		{args: "/cnry", formats: true},
		{args: "/cnry --values", formats: true},
		{args: "/cnry --values --decrypt", gives: true, formats: true},
	},
	"param tree": {
		{args: "/cnry --values", formats: true},
		{args: "/cnry --values --decrypt", gives: true},
	},
	"param get": {
		{args: "/cnry/a/secure", code: 2},
		{args: "/cnry/a/secure --decrypt", gives: true},
		{args: "/cnry/a/secure:old --show", gives: true, shows: true},
		{args: "/cnry/a/secure /cnry/a/plain /cnry/a/nope --decrypt", code: 6, gives: true, formats: true},
		{args: "/cnry/a/secure --metadata", formats: true},
		{args: "--path /cnry --no-secrets", formats: true},
	},
	"param search": {
		{args: "- --values --decrypt", stdin: canarySecure, formats: true},
		{args: "c4nary --values --decrypt", formats: true},
		{args: "[ --regex --values", code: 2},
	},
	"param history": {
		{args: "/cnry/a/secure", formats: true},
		{args: "/cnry/a/secure --values", formats: true},
		{args: "/cnry/a/secure --values --decrypt", gives: true, formats: true},
		{args: "/cnry/a/secure --diff"},
	},
	"param set": {
		{args: "/cnry/new - --secure", stdin: canaryTyped, formats: true},
		{args: "/cnry/new @in-value --dry-run"},
		{args: "/cnry/new --value-file in-value --secure --key alias/nope", code: 2},
		{args: "/cnry/a/secure - --overwrite", stdin: canaryTyped},
		{args: "/cnry/a/secure -", stdin: canaryTyped, code: 1},
		{args: "/cnry/a/limited - --overwrite", stdin: canaryTyped, code: 2},
		{args: "/cnry/new @in-big --secure", code: 2},
		{args: "/cnry/new - --secure", stdin: canaryTyped + "\x00\xff", code: 2},
		{args: "/cnry/new - --type StringList", stdin: canaryTyped + ",,x"},
		{args: "/cnry/new - --data-type aws:ec2:image", stdin: canaryTyped, code: 2},
	},
	"param edit": {
		{args: "/cnry/a/secure --yes"},
		{args: "/cnry/a/limited --yes", code: 2},
	},
	"param delete": {
		{args: "/cnry/a/secure /cnry/a/plain --yes", formats: true},
		{args: "--path /cnry --recursive --dry-run"},
	},
	"param copy": {
		{args: "/cnry/a/secure /cnry/c/secure --yes", formats: true},
		{args: "/cnry/a /cnry/b --recursive --yes", code: 1},
		{args: "/cnry/a /cnry/c --recursive --dry-run"},
	},
	"param move":     {{args: "/cnry/a/secure /cnry/c/secure --yes"}},
	"param rollback": {{args: "/cnry/a/secure --yes", formats: true}, {args: "/cnry/a/secure old --dry-run"}, {args: "/cnry/a/plain --yes"}},
	"param label":    {{args: "/cnry/a/secure live", formats: true}},
	"param unlabel":  {{args: "/cnry/a/secure:1 old", formats: true}},
	"param export": {
		{args: "/cnry/a --format json", code: 2},
		{args: "/cnry/a --format json --no-secrets"},
		{args: "/cnry/a --format yaml --decrypt", gives: true},
		{args: "/cnry/a --format dotenv --decrypt -f out.env", files: true},
		{args: "/cnry/a --format k8s --decrypt -f out.yaml", files: true},
	},
	"param diff": {
		{args: "/cnry/a /cnry/b", code: 6, formats: true},
		{args: "/cnry/a /cnry/b --decrypt", code: 6, formats: true},
		{args: "/cnry/a in.json --decrypt", code: 6},
		{args: "/cnry/a in-bad.json", code: 2},
	},
	"param exec": {
		{args: "/cnry/a --prefix X_ -- sh -c sleep~0.05;env~|~grep~^X_", gives: true, shows: true},
		{args: "/cnry/a --dry-run", formats: true},
		{args: "/cnry/a --env A=/cnry/a/secure#x -- env", code: 3},
		{args: "/cnry/a --no-secrets --pristine -- /no/such/program", code: 127},
	},
	"param render": {
		{args: "in-tmpl --path /cnry/a --decrypt", gives: true},
		{args: "in-tmpl --path /cnry/a", code: 2},
		{args: "in-tmpl --path /cnry/a --decrypt --out out.conf", files: true},
		{args: "in-bad-tmpl --path /cnry/a --decrypt", code: 3},
		{args: "in-tmpl --path /cnry/a --check", formats: true},
	},
	"param redact": {
		{args: "/cnry/a --all", stdin: canarySecure + " and " + canaryPlain},
		{args: "/cnry/a --check -f in-log", code: 6, formats: true},
		{args: "/cnry/a -- sh -c sleep~0.05;cat", stdin: canarySecure2},
	},
	"param advise": {
		{args: "/cnry/a", formats: true},
		{args: "/cnry/a --decrypt", formats: true},
		{args: "/cnry/a/secure --to-secret --yes"},
		{args: "/cnry/a/secure --to-secret --dry-run"},
	},
	"param expiring": {{args: "/cnry --within 300d", formats: true}},
	"param cost":     {{args: "/cnry", formats: true}},
	"param share":    {{args: "/cnry/a/json --with 222222222222 --yes --dry-run", code: 2}, {args: "/cnry/a/plain --with 222222222222 --yes --upgrade", formats: true}},
	"param unshare":  {{args: "/cnry/a/plain --with 222222222222 --yes", code: 3}},
	"param shared":   {{args: "/cnry/a/plain"}},
	"param import": {
		{args: "in.json /cnry/c --yes", formats: true},
		{args: "in.env /cnry/c --secure --dry-run"},
		{args: "in-bad.json /cnry/c --yes", code: 2},
		{args: "in-bad.env /cnry/c --yes", code: 2},
		{args: "in-bad.yaml /cnry/c --yes", code: 2},
	},
	"param plan": {
		{args: "in-tree.yaml", code: 6, formats: true},
		{args: "in-tree.yaml --out saved.json", code: 6},
		{args: "in-bad.yaml", code: 2},
	},
	"param apply":    {{args: "in-tree.yaml --yes", formats: true}},
	"param promote":  {{args: "/cnry/a /cnry/c --yes", formats: true}},
	"param scaffold": {{args: "/cnry/a"}},
	"param backup":   {{args: "/cnry/a -f out.backup --decrypt --history", files: true}},
	"param restore":  {{args: "in.json --yes", code: 2}},

	"__complete":                 {{args: "param get /cnry/a/"}, {args: "param get /cnry"}},
	"api put-parameter":          {{args: "--cli-input-json file://in-call.json --yes"}, {args: "--name /cnry/x --type SecureString --value - --yes", stdin: canaryTyped}},
	"api get-parameter":          {{args: "--name /cnry/a/secure --with-decryption", gives: true, shows: true}, {args: "--name /cnry/a/secure"}},
	"api get-parameters-by-path": {{args: "--path /cnry --recursive --with-decryption", gives: true, shows: true}},
}
