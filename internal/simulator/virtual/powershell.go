package virtual

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/lineedit"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/memfs"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/posix"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual/powershell"
)

// windowsServices are the services of every Windows node: name to display name.
var windowsServices = map[string]string{
	"AmazonSSMAgent":    "Amazon SSM Agent",
	"Dhcp":              "DHCP Client",
	"Dnscache":          "DNS Client",
	"EventLog":          "Windows Event Log",
	"LanmanServer":      "Server",
	"LanmanWorkstation": "Workstation",
	"RpcSs":             "Remote Procedure Call (RPC)",
	"Spooler":           "Print Spooler",
	"TermService":       "Remote Desktop Services",
	"W32Time":           "Windows Time",
	"WinRM":             "Windows Remote Management (WS-Management)",
	"wuauserv":          "Windows Update",
}

// displayName returns the display name of a Windows service.
func displayName(name string) string {
	if text, ok := windowsServices[name]; ok {
		return text
	}
	switch strings.ToUpper(name) {
	case "W3SVC":
		return "World Wide Web Publishing Service"
	case "MSSQLSERVER":
		return "SQL Server (MSSQLSERVER)"
	}
	return name
}

// windowsHost is the machine as PowerShell sees it.
type windowsHost struct{ m *Machine }

func (h windowsHost) Services() []powershell.Service {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	var list []powershell.Service
	for _, name := range slices.SortedFunc(maps.Keys(h.m.services), func(a, b string) int {
		return strings.Compare(strings.ToLower(a), strings.ToLower(b))
	}) {
		s := h.m.services[name]
		status, start := "Stopped", "Manual"
		if s.state == Running {
			status = "Running"
		}
		if s.enabled {
			start = "Automatic"
		}
		list = append(list, powershell.Service{Name: s.name, DisplayName: displayName(s.name), Status: status, StartType: start})
	}
	return list
}

func (h windowsHost) SetService(name, action string) error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	s := h.m.service(name)
	if s == nil {
		return fmt.Errorf("service %s does not exist", name)
	}
	if action != "start" {
		h.m.stop(s)
	}
	if action != "stop" && !h.m.start(s, h.m.now()) {
		return fmt.Errorf("The service did not respond to the start or control request in a timely fashion.")
	}
	return nil
}

func (h windowsHost) Processes() []powershell.Process {
	list := []powershell.Process{
		{Name: "csrss", ID: 512},
		{Name: "Idle", ID: 0},
		{Name: "lsass", ID: 680},
		{Name: "services", ID: 664},
		{Name: "smss", ID: 340},
		{Name: "System", ID: 4},
		{Name: "wininit", ID: 588},
		{Name: "winlogon", ID: 644},
	}
	for _, p := range h.m.processes() {
		if p.service == "" {
			continue
		}
		name := "svchost"
		switch p.service {
		case "AmazonSSMAgent":
			name = "amazon-ssm-agent"
		case "Spooler":
			name = "spoolsv"
		case "W3SVC":
			name = "w3wp"
		}
		list = append(list, powershell.Process{Name: name, ID: p.pid * 4, Memory: p.rss})
	}
	list = append(list, powershell.Process{Name: "powershell", ID: 4242, Memory: 78000})
	for i := range list {
		p := &list[i]
		if p.Memory == 0 {
			p.Memory = 3000 + h.m.spec.vary("rss"+p.Name, 20000)
		}
		p.Handles = 80 + h.m.spec.vary("handles"+p.Name, 900)
		p.CPU = float64(h.m.spec.vary("cpu"+p.Name, 9000)) / 100
	}
	slices.SortStableFunc(list, func(a, b powershell.Process) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return list
}

func (h windowsHost) StopProcess(pid int) error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	p := h.m.procs[pid/4]
	if p == nil || p.service == "" {
		return fmt.Errorf("Access is denied")
	}
	h.m.ended(h.m.services[p.service])
	h.m.services[p.service].state = Stopped
	return nil
}

func (h windowsHost) Connect(ctx context.Context, addr string) error {
	conn, err := h.m.dial(ctx, addr)
	if err != nil {
		return err
	}
	return conn.Close()
}

func (h windowsHost) Info() powershell.Info {
	s := h.m.spec
	return powershell.Info{Hostname: s.Hostname, IP: s.IP, OS: s.Distro, Version: s.Kernel, InstanceType: s.InstanceType, Boot: h.m.bootTime(), Memory: h.m.memTotal() / 1024}
}

// powerShell returns a shell of user.
func (m *Machine) powerShell(user, dir string, env []string, stdin io.Reader, stdout, stderr io.Writer) *powershell.Shell {
	return powershell.New(m.powerShellConfig(user, dir, env, stdin, stdout, stderr))
}

func (m *Machine) powerShellConfig(user, dir string, env []string, stdin io.Reader, stdout, stderr io.Writer) powershell.Config {
	account, home := m.spec.Hostname+`\`+user, `C:\Users\`+user
	if user == rootUser {
		account, home = `NT AUTHORITY\SYSTEM`, `C:\Windows\system32\config\systemprofile`
	}
	return powershell.Config{
		Host: windowsHost{m}, FS: m.fs, User: account, Home: home, Dir: dir,
		// The SSM agent makes ssm-user an administrator.
		Elevated: true,
		Env: append([]string{
			"COMPUTERNAME=" + m.spec.Hostname, "USERNAME=" + account[strings.LastIndexByte(account, '\\')+1:], "USERPROFILE=" + home,
			`SystemRoot=C:\Windows`, `windir=C:\Windows`, "SystemDrive=C:", "OS=Windows_NT", "PROCESSOR_ARCHITECTURE=AMD64", "NUMBER_OF_PROCESSORS=2",
			`TEMP=C:\Windows\Temp`, `TMP=C:\Windows\Temp`, `ProgramFiles=C:\Program Files`, `ProgramData=C:\ProgramData`, `ComSpec=C:\Windows\system32\cmd.exe`,
			`PATH=C:\Windows\system32;C:\Windows;C:\Windows\System32\WindowsPowerShell\v1.0\`, "USERDOMAIN=" + m.spec.Hostname,
		}, env...),
		Stdin: stdin, Stdout: stdout, Stderr: stderr, Now: m.now,
	}
}

// boundTo ends reads and writes with ctx.
type boundTo struct {
	ctx context.Context
	r   io.Reader
	w   io.Writer
}

func (b boundTo) Read(p []byte) (int, error) {
	if cr, ok := b.r.(posix.ContextReader); ok {
		return cr.ReadContext(b.ctx, p)
	}
	if b.r == nil {
		return 0, io.EOF
	}
	return b.r.Read(p)
}

func (b boundTo) Write(p []byte) (int, error) {
	if cw, ok := b.w.(posix.ContextWriter); ok {
		return cw.WriteContext(b.ctx, p)
	}
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	return b.w.Write(p)
}

// crlf turns line ends into those of Windows.
type crlf struct{ w io.Writer }

func (c crlf) Write(p []byte) (int, error) {
	text := bytes.ReplaceAll(bytes.ReplaceAll(p, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
	if _, err := c.w.Write(text); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (m *Machine) runPowerShell(ctx context.Context, c shell.Command, user string, g *posix.Group, in io.Reader, out, errw io.Writer) int {
	ctx, done := g.Context(ctx)
	defer done()
	stdio := boundTo{ctx: ctx, r: in}
	sh := m.powerShell(user, c.Dir, c.Env, stdio, crlf{boundTo{ctx: ctx, w: out}}, crlf{boundTo{ctx: ctx, w: errw}})
	status := sh.Run(ctx, c.Script)
	if ctx.Err() != nil {
		return posix.KilledStatus(ctx)
	}
	return status
}

// interactivePowerShell is a session on a Windows node.
func (m *Machine) interactivePowerShell(ctx context.Context, t *terminal, user string, o shell.TTYOptions) int {
	g := &posix.Group{}
	t.foreground(g)
	stdio := &boundTo{ctx: ctx, r: t, w: t}
	ed := lineedit.New(80)
	cfg := m.powerShellConfig(user, "", o.Env, stdio, stdio, stdio)
	cfg.History, cfg.Clear = ed.History, func() { t.print("\x1b[H\x1b[2J\x1b[3J") }
	sh := powershell.New(cfg)
	run := func(script string) int {
		rctx, done := g.Context(ctx)
		defer done()
		stdio.ctx = rctx
		defer func() { stdio.ctx = ctx }()
		status := sh.Run(rctx, script)
		if rctx.Err() != nil && ctx.Err() == nil {
			t.print("\r\n")
			return posix.KilledStatus(rctx)
		}
		return status
	}
	if o.Command != "" {
		if status := run(o.Command); ctx.Err() == nil {
			return status
		}
		return posix.KilledStatus(ctx)
	}
	t.print("Windows PowerShell\r\nCopyright (C) Microsoft Corporation. All rights reserved.\r\n\r\n")
	ed.Complete = func(head string) (int, []string) { return completePowerShell(m.fs, sh, head) }
	defer t.setMode(modeCooked)
	return m.promptPowerShell(ctx, t, ed, sh, run)
}

// promptPowerShell reads and runs lines until exit.
func (m *Machine) promptPowerShell(ctx context.Context, t *terminal, ed *lineedit.Editor, sh *powershell.Shell, run func(string) int) int {
	pending := ""
	for {
		prompt := sh.Prompt()
		if pending != "" {
			prompt = ">> "
		}
		t.setMode(modeEdit)
		line, ev, err := m.readLine(ctx, t, ed, prompt)
		if err != nil {
			return posix.KilledStatus(ctx)
		}
		t.setMode(modeCooked)
		switch {
		case ev == lineedit.Interrupt:
			pending = ""
			continue
		case ev == lineedit.EOF || strings.TrimSpace(pending+line) == "":
			continue // PowerShell does not end at Ctrl-D
		}
		if _, err := powershell.Parse(pending + line + "\n"); powershell.Incomplete(err) && line != "" {
			pending += line + "\n"
			continue
		}
		status := run(pending + line)
		pending = ""
		switch {
		case ctx.Err() != nil:
			return posix.KilledStatus(ctx)
		case sh.Exited():
			return status
		}
	}
}

// completePowerShell completes commands and paths.
func completePowerShell(files *memfs.FS, sh *powershell.Shell, head string) (start int, candidates []string) {
	start = strings.LastIndexAny(head, " |;({") + 1
	word := head[start:]
	if strings.ContainsAny(word, `\:`) || start > 0 && !strings.HasSuffix(strings.TrimRight(head[:start], " "), "|") {
		dir, base := "", word
		if i := strings.LastIndexByte(word, '\\'); i >= 0 {
			dir, base = word[:i+1], word[i+1:]
		}
		list, err := files.ReadDir(memfs.Cred{}, sh.FSPath(dir))
		if err != nil {
			return start, nil
		}
		for _, info := range list {
			if len(info.Name()) >= len(base) && strings.EqualFold(info.Name()[:len(base)], base) {
				candidates = append(candidates, dir+info.Name())
			}
		}
		return start, candidates
	}
	for _, name := range powershell.Commands() {
		if len(name) >= len(word) && strings.EqualFold(name[:len(word)], word) {
			candidates = append(candidates, name)
		}
	}
	return start, candidates
}

// buildWindows writes the file system of a Windows node.
func (m *Machine) buildWindows() {
	b := builder{m.fs}
	for _, dir := range []string{
		"Windows/System32/drivers/etc", "Windows/System32/config/systemprofile", "Windows/System32/WindowsPowerShell/v1.0", "Windows/Temp", "Windows/Logs",
		"Program Files/Amazon/SSM", "Program Files/Common Files", "Program Files (x86)", "ProgramData/Amazon/SSM/Logs", "PerfLogs",
		"Users/Administrator/Documents", "Users/Public", "Users/ssm-user/Documents", "inetpub/wwwroot", "inetpub/logs/LogFiles",
	} {
		b.dir("/C:/"+dir, 0o755)
	}
	for _, dir := range []string{"Windows/Temp", "Users/ssm-user", "Users/ssm-user/Documents"} {
		b.mode("/C:/"+dir, 0o777)
	}
	b.file("/C:/Windows/System32/drivers/etc/hosts", "# Copyright (c) 1993-2009 Microsoft Corp.\r\n127.0.0.1       localhost\r\n", 0o644)
	b.file("/C:/Windows/win.ini", "; for 16-bit app support\r\n[fonts]\r\n[extensions]\r\n", 0o644)
	b.file("/C:/Program Files/Amazon/SSM/amazon-ssm-agent.json.template", "{\r\n}\r\n", 0o644)
	b.file("/C:/ProgramData/Amazon/SSM/Logs/amazon-ssm-agent.log", m.spec.Boot.UTC().Format("2006-01-02 15:04:05")+" INFO amazon-ssm-agent - v3.3.1345.0\r\n", 0o644)
	b.file("/C:/inetpub/wwwroot/iisstart.htm", "<html><head><title>IIS Windows Server</title></head></html>\r\n", 0o644)
	for name, content := range m.spec.Files {
		// A path that cannot be made is the scenario's mistake; it is seen as a
		// missing file.
		_ = m.fs.WriteFile("/"+strings.TrimPrefix(strings.ReplaceAll(name, `\`, "/"), "/"), content, 0o666, memfs.Cred{})
	}
}
