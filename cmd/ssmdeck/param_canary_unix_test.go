//go:build !windows

package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/ssmdeck/ssmdeck/internal/redact"
	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// What a value may be found as: in a SecureString, in a String, and in what a user types.
const (
	canarySecure  = "c4nary-S3CURE-vq8Zt!x"
	canarySecure2 = "c4nary-PASSW0RD-pl2Kd"
	canaryLine    = "c4naryL1NEofApemF1LEwithManyLetters"
	canaryOld     = "c4nary-0LD-version-mm3"
	canaryPlain   = "c4nary-pl41n-string-77"
	canaryTyped   = "c4nary-TYPED-in-1x9Bg"
)

const canaryScenario = `
accounts: [{id: "222222222222"}]
keys: [{id: 7f3a1c52-90de-4a61-8b0f-2f0c6f4b9d11, alias: alias/cnry}]
parameters:
  - {name: /cnry/a/secure, type: SecureString, value: "` + canarySecure + `", key: alias/cnry, history: ["` + canaryOld + `"], labels: {1: [old]}, tags: {team: shop}}
  - {name: /cnry/a/json, type: SecureString, value: '{"user":"app","password":"` + canarySecure2 + `"}', expires: 240h, notify: 168h, tier: Advanced}
  - {name: /cnry/a/pem, type: SecureString, value: "-----BEGIN KEY-----\n` + canaryLine + `\n-----END KEY-----\n"}
  - {name: /cnry/a/plain, value: "` + canaryPlain + `", history: ["x"]}
  - {name: /cnry/a/list, type: StringList, value: "` + canaryPlain + `,two"}
  - {name: /cnry/a/limited, type: SecureString, value: "` + canarySecure + `", allowed_pattern: "^c4nary-S3.*$"}
  - {name: /cnry/b/secure, type: SecureString, value: "another-value"}
`

// canaryRun is one command line, and what may become of the values.
type canaryRun struct {
	args  string // behind ssmdeck, in words
	stdin string
	first string // a command line that is run before, for a file to read
	code  int    // its exit status, where nothing stands in its way
	// gives is set where the values of SecureStrings go to standard output; shows where
	// they do so on a terminal, too, because somebody asked for that.
	gives, shows bool
	formats      bool // -o changes what is printed
	files        bool // it writes values to files of the folder, because somebody asked for that
}

// TestNoValueOfAParameterGetsAway runs every command of parameters in every format and
// in several kinds of trouble. Their values are in no message, log, argument list or
// cache, in no file that others can read, and on standard output only when asked for.
func TestNoValueOfAParameterGetsAway(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	binary, err := exec.LookPath("ssmdeck")
	if err != nil {
		t.Fatal(err)
	}
	rows := canaryRows
	for _, name := range paramCommands(t, binary) {
		if len(rows[name]) == 0 {
			t.Errorf("ssmdeck %s has no row in canaryRows: say how it is run", name)
		}
	}
	known := append(paramCommands(t, binary), "api put-parameter", "api get-parameter", "api get-parameters-by-path", "__complete")
	for name, runs := range rows {
		if !slices.Contains(known, name) {
			t.Errorf("there is no command %s any more", name)
			continue
		}
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			for _, r := range runs {
				house := &canaryHouse{binary: binary, run: r, command: name}
				for _, trouble := range []string{
					"", `denied: ["kms:Decrypt *"]`, `denied: ["ssm:GetParameters", "ssm:GetParametersByPath", "ssm:GetParameterHistory", "ssm:PutParameter"]`,
					"throttle: {GetParameter+GetParameters+GetParametersByPath+PutParameter: 4}",
				} {
					house.trouble = trouble
					house.try(t, "--debug")
				}
				house.trouble = ""
				house.try(t, "--log-file", filepath.Join(t.TempDir(), "log"))
				house.terminal = true
				house.try(t)
				house.terminal = false
				if r.formats {
					for _, format := range []string{"table", "wide", "json", "jsonl", "yaml", "csv", "text", "name"} {
						house.try(t, "-o", format)
					}
				}
			}
		})
	}
}

// TestTheCanariesAreHeard says that the tests of this file would find something.
func TestTheCanariesAreHeard(t *testing.T) {
	for _, text := range []string{canarySecure, canarySecure2, canaryOld, canaryLine, canaryPlain, canaryTyped} {
		for _, form := range []string{text, fmt.Sprintf("%q", "a "+text), fmt.Sprintf("%x", text), base64.StdEncoding.EncodeToString([]byte("ab" + text + "c"))} {
			if len(birds([]byte("before "+form+" behind"))) != 1 {
				t.Errorf("%s is not found", form)
			}
		}
	}
	cmd := exec.Command("sh", "-c", "sh -c 'echo; read x; :' "+canaryTyped+"; :")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil { // a process has no arguments yet while it begins
		t.Fatal(err)
	}
	if _, err := os.Stat("/proc/self/cmdline"); err == nil && canaryArguments(cmd.Process.Pid) == "" {
		t.Error("a value among arguments is not found")
	}
	_ = in.Close()
	_ = cmd.Wait()
}

// TestACrashTellsNoValue ends an export in its midst, as a bug of ours would: what the
// runtime of Go then says of goroutines and their arguments has no value in it.
func TestACrashTellsNoValue(t *testing.T) {
	binary, err := exec.LookPath("ssmdeck")
	if err != nil {
		t.Fatal(err)
	}
	sc, err := world.ParseScenario("canary", []byte(canaryScenario+"delay: 100ms\n"))
	if err != nil {
		t.Fatal(err)
	}
	srv, err := simulator.Start(context.Background(), simulator.Options{Scenario: sc})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	cmd := exec.Command(binary, "param", "redact", "/cnry", "--all") // has all values, and waits
	var stderr bytes.Buffer
	cmd.Env = environ(t.TempDir(), append(srv.Env(), "GOTRACEBACK=all")...)
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(in, "ready "+canaryPlain+"\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, len("ready ["))); err != nil {
		t.Fatalf("%v\n%s", err, canaryless(stderr.Bytes()))
	}
	if err := cmd.Process.Signal(syscall.SIGABRT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if !strings.Contains(stderr.String(), "goroutine ") || birds(stderr.Bytes()) != nil {
		t.Errorf("it says %s:\n%s", birds(stderr.Bytes()), canaryless(stderr.Bytes()))
	}
}

// paramCommands are all commands below param, from completion.
func paramCommands(t *testing.T, binary string) (out []string) {
	t.Helper()
	var walk func(words []string)
	walk = func(words []string) {
		cmd := exec.Command(binary, append(append([]string{"__complete"}, words...), "")...)
		cmd.Env = environ(t.TempDir())
		text, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			name, _, described := strings.Cut(strings.TrimSpace(line), "\t")
			if !described || strings.ContainsAny(name, "/:-") {
				continue
			}
			out = append(out, strings.Join(append(words, name), " "))
			walk(append(slices.Clone(words), name))
		}
	}
	walk([]string{"param"})
	if len(out) < 5 {
		t.Fatalf("only %q", out)
	}
	return out
}

// canaryHouse is where one command is run.
type canaryHouse struct {
	binary, command string
	run             canaryRun
	trouble         string // of the scenario
	terminal        bool   // standard output is one
}

// canaries look for the values, in all their forms.
var canaries = sync.OnceValue(func() *redact.Matcher {
	m, skipped, err := redact.New([]redact.Secret{
		{Name: "secret", Value: canarySecure},
		{Name: "secret", Value: canarySecure2},
		{Name: "secret", Value: canaryLine},
		{Name: "secret", Value: canaryOld},
		{Name: "plain", Value: canaryPlain},
		{Name: "typed", Value: canaryTyped},
	}, false)
	if err != nil || len(skipped) > 0 {
		panic(fmt.Sprint(skipped, err))
	}
	return m
})

// birds are the kinds of values in a text.
func birds(text []byte) (kinds []string) {
	w := canaries().NewWriter(io.Discard)
	_, _ = w.Write(text)
	_ = w.Close()
	for _, c := range w.Found() {
		kinds = append(kinds, c.Name)
	}
	return kinds
}

func (h *canaryHouse) try(t *testing.T, flags ...string) {
	t.Helper()
	sc, err := world.ParseScenario("canary", []byte(canaryScenario+h.trouble+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	srv, err := simulator.Start(context.Background(), simulator.Options{Scenario: sc})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	dir := t.TempDir()
	home, work, temp := filepath.Join(dir, "home"), filepath.Join(dir, "work"), filepath.Join(dir, "tmp")
	for _, d := range []string{home, work, temp} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	canaryFiles(t, work)
	args := append(strings.Fields(strings.TrimPrefix(h.command, "__complete")), flags...)
	if h.command == "__complete" {
		args = []string{"__complete"}
	}
	words := strings.Fields(h.run.args)
	for i, word := range words {
		words[i] = strings.ReplaceAll(word, "~", " ")
	}
	args = append(args, words...)
	cmd := exec.Command(h.binary, args...)
	cmd.Dir = work
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + temp, "XDG_RUNTIME_DIR=" + temp, "TERM=xterm", "LANG=C.UTF-8", "TZ=UTC", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=" + filepath.Join(home, "aws"), "EDITOR=" + filepath.Join(work, "in-editor"), "VALUE_FROM_ENV=" + canaryTyped,
	}
	cmd.Env = append(cmd.Env, srv.Env()...)
	if h.run.first != "" {
		before := exec.Command(h.binary, strings.Fields(h.run.first)...)
		before.Dir, before.Env = work, cmd.Env
		if out, err := before.CombinedOutput(); err != nil && h.trouble == "" {
			t.Fatalf("%s: %v\n%s", h.run.first, err, canaryless(out))
		}
	}
	cmd.Stdin = strings.NewReader(h.run.stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, code := h.start(t, cmd)
	name := fmt.Sprintf("ssmdeck %s (%s)", strings.Join(args, " "), h.trouble)
	usual := h.trouble == "" && !h.terminal && !slices.Contains(flags, "name") // lists without names refuse it, and some commands refuse a terminal
	if usual && code != h.run.code {
		t.Errorf("%s: exit status %d, want %d\n%s", name, code, h.run.code, canaryless(stderr.Bytes()))
	}
	if found := birds(stderr.Bytes()); found != nil {
		t.Errorf("%s: %s on standard error:\n%s", name, found, canaryless(stderr.Bytes()))
	}
	asked := h.run.gives && !h.terminal || h.run.shows
	if found := birds(stdout); slices.Contains(found, "secret") && !asked || slices.Contains(found, "typed") && !h.run.gives {
		t.Errorf("%s: %s on standard output:\n%s", name, found, canaryless(stdout))
	}
	if usual && h.run.code == 0 && asked && birds(stdout) == nil {
		t.Errorf("%s: nothing is given:\n%s%s", name, stdout, canaryless(stderr.Bytes()))
	}
	for i, f := range flags {
		if f == "--log-file" {
			if data, err := os.ReadFile(flags[i+1]); err == nil && birds(data) != nil {
				t.Errorf("%s: in the log:\n%s", name, canaryless(data))
			}
		}
	}
	h.checkFiles(t, name, home, temp, work)
}

// canaryFiles are what the command lines of the table read.
func canaryFiles(t *testing.T, work string) {
	t.Helper()
	for name, text := range map[string]string{
		"in-value":     canaryTyped,
		"in-big":       strings.Repeat(canaryTyped, 500),
		"in-tmpl":      `{{ param "secure" }} {{ param "/cnry/a/json" "password" | base64 }} {{ param "/cnry/a/plain" }}`,
		"in-bad-tmpl":  `{{ param "secure" "key" }} {{ param "nope" }}`,
		"in-log":       "a " + canarySecure + " b " + canaryPlain + "\n" + canarySecure2 + "\n",
		"in.json":      `{"new": {"type": "SecureString", "value": "` + canaryTyped + `"}, "plain": {"type": "String", "value": "` + canaryTyped + `"}}`,
		"in-bad.json":  `{"new": {"type": "SecureString", "value": "` + canaryTyped + `", "nope": 1}, "x": [` + canaryTyped,
		"in.env":       "NEW='" + canaryTyped + "'\n",
		"in-bad.env":   "NEW='" + canaryTyped + "\n$" + canaryTyped + "=x\n",
		"in-bad.yaml":  "new: {type: SecureString, value: " + canaryTyped + ", tier: nope}\n",
		"in-tree.yaml": "path: /cnry/tree\nparameters:\n  new: {type: SecureString, value: " + canaryTyped + "}\n  plain: {value: " + canaryTyped + "}\n",
		"in-call.json": `{"Name": "/cnry/api", "Type": "SecureString", "Value": "` + canaryTyped + `"}`,
		// An editor that looks at its file, takes its time and writes something else.
		"in-editor": "#!/bin/sh\nfor f; do :; done\nsleep 0.05\nls -ld \"$f\" \"${f%/*}\" | cut -c1-10 > in-modes\nprintf %s '" + canaryTyped + "' > \"$f\"\n",
	} {
		if err := os.WriteFile(filepath.Join(work, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

// start runs the command and returns its output and exit status. Meanwhile it looks at
// the arguments of it and of its children.
func (h *canaryHouse) start(t *testing.T, cmd *exec.Cmd) ([]byte, int) {
	t.Helper()
	var (
		stdout bytes.Buffer
		read   sync.WaitGroup
		master *os.File
	)
	if h.terminal {
		m, slave, err := pty.Open()
		if err != nil {
			t.Skipf("no pseudo-terminal here: %v", err)
		}
		_ = pty.Setsize(m, &pty.Winsize{Cols: 200, Rows: 50})
		cmd.Stdout, master = slave, m
		defer master.Close()
		read.Go(func() { _, _ = io.Copy(&stdout, master) }) // until the last writer is gone
		defer slave.Close()
	} else {
		cmd.Stdout = &stdout
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if s, ok := cmd.Stdout.(*os.File); ok {
		_ = s.Close()
	}
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				if line := canaryArguments(cmd.Process.Pid); line != "" {
					t.Errorf("%s %s: a value is among the arguments of %s", h.command, h.run.args, line)
					return
				}
			}
		}
	})
	limit := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	limit.Stop()
	close(done)
	watch.Wait()
	read.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return stdout.Bytes(), cmd.ProcessState.ExitCode()
}

// canaryArguments looks at the arguments of a process and its children, where the
// system shows them, and returns the program whose arguments hold a value.
func canaryArguments(pid int) string {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	line, err := os.ReadFile(filepath.Join(proc, "cmdline"))
	if err == nil && birds(line) != nil {
		program, _, _ := bytes.Cut(line, []byte{0})
		return string(program)
	}
	tasks, _ := os.ReadDir(filepath.Join(proc, "task"))
	for _, task := range tasks {
		children, _ := os.ReadFile(filepath.Join(proc, "task", task.Name(), "children"))
		for word := range strings.FieldsSeq(string(children)) {
			if child, err := strconv.Atoi(word); err == nil {
				if found := canaryArguments(child); found != "" {
					return found
				}
			}
		}
	}
	return ""
}

// checkFiles looks at all that was left: nothing in the home and among temporary
// files, and in the folder only what was asked for, and nobody else can read.
func (h *canaryHouse) checkFiles(t *testing.T, name, home, temp, work string) {
	t.Helper()
	for _, root := range []string{home, temp, work} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			base := filepath.Base(path)
			if err != nil || d.IsDir() || !d.Type().IsRegular() || root == work && strings.HasPrefix(base, "in") && base != "in-modes" {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			switch found := birds(data); {
			case base == "in-modes":
				if string(data) != "drwx------\n-rw-------\n" {
					t.Errorf("%s: the editor's file and its folder are\n%s", name, data)
				}
			case found == nil:
			case root == temp && h.command == "param edit" && info.Mode().Perm()&0o077 == 0: // a text that could not be written is not thrown away
			case root != work || !h.run.files:
				t.Errorf("%s: %s is left in %s", name, found, path)
			case info.Mode().Perm()&0o077 != 0 && !slices.Equal(found, []string{"plain"}):
				t.Errorf("%s: %s in %s, which has mode %o", name, found, path, info.Mode().Perm())
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// canaryless is a text with the values marked, for the messages of the test.
func canaryless(text []byte) string {
	var b bytes.Buffer
	w := canaries().NewWriter(&b)
	_, _ = w.Write(text)
	_ = w.Close()
	return b.String()
}
