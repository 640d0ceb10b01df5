package powershell

import (
	"context"
	"fmt"
	"net"
	"strings"
)

func systemCmdlets() map[string]cmdlet {
	return map[string]cmdlet{
		"get-service":        {"@Name DisplayName Include Exclude", getService},
		"start-service":      {"@Name [PassThru]", changeService("start")},
		"stop-service":       {"@Name [Force] [PassThru] [NoWait]", changeService("stop")},
		"restart-service":    {"@Name [Force] [PassThru]", changeService("restart")},
		"get-process":        {"@Name Id [IncludeUserName]", getProcess},
		"stop-process":       {"@Id Name [Force] [PassThru]", stopProcess},
		"get-hotfix":         {"@Id", getHotFix},
		"get-computerinfo":   {"@Property", getComputerInfo},
		"get-ciminstance":    {"@ClassName Filter", getCimInstance},
		"get-wmiobject":      {"@ClassName Filter", getCimInstance},
		"get-netipaddress":   {"AddressFamily", getNetIPAddress},
		"test-netconnection": {"@ComputerName Port InformationLevel", testNetConnection},
		"restart-computer":   {"[Force]", refuseRestart},
		"stop-computer":      {"[Force]", refuseRestart},
		"hostname":           {"*", func(s *Shell, _ *call, out emit) error { return out(s.cfg.Host.Info().Hostname) }},
		"whoami":             {"*", func(s *Shell, _ *call, out emit) error { return out(strings.ToLower(s.cfg.User)) }},
		"ipconfig":           {"*", ipconfig},
		"systeminfo":         {"*", systeminfo},
		"tasklist":           {"*", tasklist},
	}
}

func serviceObject(v Service) *Object {
	o := NewObject("Service", "Status", v.Status, "Name", v.Name, "DisplayName", v.DisplayName, "StartType", v.StartType, "ServiceName", v.Name)
	return o
}

func getService(s *Shell, c *call, out emit) error {
	pats := c.strings("Name")
	for _, v := range c.in {
		pats = append(pats, serviceName(v))
	}
	all := len(pats) == 0
	if c.has("DisplayName") {
		all = false
	}
	var list []any
	for _, svc := range s.cfg.Host.Services() {
		hit := all || c.has("DisplayName") && wildcard(c.text1("DisplayName", ""), svc.DisplayName)
		for _, p := range pats {
			hit = hit || wildcard(p, svc.Name) || wildcard(p, svc.DisplayName)
		}
		if hit {
			list = append(list, serviceObject(svc))
		}
	}
	for _, p := range pats {
		if !strings.ContainsAny(p, "*?") && !s.hasService(p) {
			if err := s.fail(c, "NoServiceFoundForGivenName", "Cannot find any service with service name '"+p+"'."); err != nil {
				return err
			}
		}
	}
	return s.emitAll(list, out)
}

func (s *Shell) hasService(name string) bool {
	for _, svc := range s.cfg.Host.Services() {
		if strings.EqualFold(svc.Name, name) || strings.EqualFold(svc.DisplayName, name) {
			return true
		}
	}
	return false
}

func serviceName(v any) string {
	if o, ok := v.(*Object); ok {
		if name, ok := o.Get("Name"); ok {
			return text(name)
		}
	}
	return text(v)
}

func changeService(action string) func(*Shell, *call, emit) error {
	return func(s *Shell, c *call, out emit) error {
		names := c.strings("Name")
		for _, v := range c.in {
			names = append(names, serviceName(v))
		}
		for _, name := range names {
			var err error
			switch {
			case !s.hasService(name):
				err = s.fail(c, "NoServiceFoundForGivenName", "Cannot find any service with service name '"+name+"'.")
			case !s.cfg.Elevated:
				err = s.fail(c, "CouldNot"+strings.ToUpper(action[:1])+action[1:]+"Service", "Service '"+name+"' cannot be changed due to the following error: Cannot open "+name+" service on computer '.'.")
			default:
				if herr := s.cfg.Host.SetService(name, action); herr != nil {
					err = s.fail(c, "StartServiceFailed", "Failed to "+action+" service '"+name+"'. "+herr.Error())
				}
			}
			if err != nil {
				return err
			}
			if c.has("PassThru") && s.ok {
				if err := out(serviceObject(s.findService(name))); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

func (s *Shell) findService(name string) Service {
	for _, svc := range s.cfg.Host.Services() {
		if strings.EqualFold(svc.Name, name) {
			return svc
		}
	}
	return Service{Name: name}
}

func processObject(p Process) *Object {
	return NewObject("Process", "Handles", int64(p.Handles), "NPM", int64(p.Handles/12+4), "PM", int64(p.Memory*3/4), "WS", int64(p.Memory),
		"CPU", fmt.Sprintf("%.2f", p.CPU), "Id", int64(p.ID), "SI", int64(0), "ProcessName", p.Name, "Name", p.Name)
}

func getProcess(s *Shell, c *call, out emit) error {
	var list []any
	pats, ids := c.strings("Name"), c.strings("Id")
	for _, p := range s.cfg.Host.Processes() {
		hit := len(pats) == 0 && len(ids) == 0
		for _, pat := range pats {
			hit = hit || wildcard(strings.TrimSuffix(pat, ".exe"), p.Name)
		}
		for _, id := range ids {
			hit = hit || id == fmt.Sprint(p.ID)
		}
		if hit {
			list = append(list, processObject(p))
		}
	}
	if len(list) == 0 && len(pats)+len(ids) > 0 {
		return s.fail(c, "NoProcessFoundForGivenName", "Cannot find a process with the name \""+strings.Join(append(pats, ids...), ", ")+"\". Verify the process name and call the cmdlet again.")
	}
	return s.emitAll(list, out)
}

func stopProcess(s *Shell, c *call, _ emit) error {
	want := append(c.strings("Id"), c.strings("Name")...)
	for _, v := range c.in {
		if o, ok := v.(*Object); ok {
			id, _ := o.Get("Id")
			want = append(want, text(id))
		}
	}
	for _, w := range want {
		found := false
		for _, p := range s.cfg.Host.Processes() {
			if w != fmt.Sprint(p.ID) && !strings.EqualFold(w, p.Name) {
				continue
			}
			found = true
			if !s.cfg.Elevated {
				if err := s.fail(c, "CouldNotStopProcess", "Cannot stop process \""+p.Name+" ("+fmt.Sprint(p.ID)+")\" because of the following error: Access is denied"); err != nil {
					return err
				}
				continue
			}
			if err := s.cfg.Host.StopProcess(p.ID); err != nil {
				if err := s.fail(c, "CouldNotStopProcess", err.Error()); err != nil {
					return err
				}
			}
		}
		if !found {
			if err := s.fail(c, "NoProcessFoundForGivenId", "Cannot find a process with the process identifier "+w+"."); err != nil {
				return err
			}
		}
	}
	return nil
}

func getHotFix(s *Shell, c *call, out emit) error {
	info := s.cfg.Host.Info()
	var list []any
	for _, kb := range []string{"KB5044281", "KB5045594", "KB5012170"} {
		if id := c.text1("Id", kb); id == kb {
			list = append(list, NewObject("HotFix", "Source", info.Hostname, "Description", "Update", "HotFixID", kb,
				"InstalledBy", `NT AUTHORITY\SYSTEM`, "InstalledOn", info.Boot.UTC().Format("1/2/2006")+" 12:00:00 AM"))
		}
	}
	if len(list) == 0 {
		return s.fail(c, "GetHotFixNoEntriesFound", "Cannot find the requested hotfix on the 'localhost' computer. Verify the input and run your command again.")
	}
	return s.emitAll(list, out)
}

func (s *Shell) computer() *Object {
	info := s.cfg.Host.Info()
	return NewObject("ComputerInfo", "WindowsProductName", info.OS, "WindowsVersion", "2009", "OsName", info.OS, "OsVersion", info.Version,
		"OsBuildNumber", "20348", "OsArchitecture", "64-bit", "CsName", info.Hostname, "CsManufacturer", "Amazon EC2", "CsModel", info.InstanceType,
		"CsProcessors", "Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz", "OsLastBootUpTime", info.Boot, "OsUptime", s.cfg.Now().Sub(info.Boot).Truncate(1e9).String(),
		"OsTotalVisibleMemorySize", int64(info.Memory)*1024, "TimeZone", "(UTC) Coordinated Universal Time")
}

func getComputerInfo(s *Shell, c *call, out emit) error {
	o := s.computer()
	if !c.has("Property") {
		return out(o)
	}
	picked, err := s.pick(o, items(c.get("Property")))
	if err != nil {
		return err
	}
	return out(picked)
}

func getCimInstance(s *Shell, c *call, out emit) error {
	info := s.cfg.Host.Info()
	switch strings.ToLower(c.text1("ClassName", "")) {
	case "win32_operatingsystem":
		return out(NewObject("Win32_OperatingSystem", "Caption", info.OS, "Version", info.Version, "BuildNumber", "20348", "CSName", info.Hostname,
			"LastBootUpTime", info.Boot, "TotalVisibleMemorySize", int64(info.Memory)*1024, "FreePhysicalMemory", int64(info.Memory)*512))
	case "win32_computersystem":
		return out(NewObject("Win32_ComputerSystem", "Name", info.Hostname, "Domain", "WORKGROUP", "Manufacturer", "Amazon EC2", "Model", info.InstanceType,
			"TotalPhysicalMemory", int64(info.Memory)<<20))
	case "win32_logicaldisk":
		return out(NewObject("Win32_LogicalDisk", "DeviceID", "C:", "DriveType", int64(3), "FreeSpace", int64(14)<<30, "Size", int64(30)<<30, "VolumeName", ""))
	}
	return s.fail(c, "HRESULT 0x80041010", "Invalid class, or not supported by the simulated PowerShell: "+c.text1("ClassName", ""))
}

func getNetIPAddress(s *Shell, _ *call, out emit) error {
	return s.emitAll([]any{
		NewObject("", "IPAddress", s.cfg.Host.Info().IP, "InterfaceAlias", "Ethernet", "AddressFamily", "IPv4"),
		NewObject("", "IPAddress", "127.0.0.1", "InterfaceAlias", "Loopback Pseudo-Interface 1", "AddressFamily", "IPv4"),
	}, out)
}

func testNetConnection(s *Shell, c *call, out emit) error {
	host := c.text1("ComputerName", "internetbeacon.msedge.net")
	if !c.has("Port") {
		return s.fail(c, "NotSupported", "Test-NetConnection needs -Port in the simulated PowerShell.")
	}
	err := s.cfg.Host.Connect(s.ctx, net.JoinHostPort(host, c.text1("Port", "")))
	if ctxErr := context.Cause(s.ctx); ctxErr != nil {
		return s.ctx.Err()
	}
	if err != nil {
		if err := writeWarning(s, &call{params: map[string]any{"message": "TCP connect to (" + host + " : " + c.text1("Port", "") + ") failed"}}, out); err != nil {
			return err
		}
	}
	return out(NewObject("TestNetConnectionResult", "ComputerName", host, "RemoteAddress", host, "RemotePort", c.text1("Port", ""),
		"InterfaceAlias", "Ethernet", "SourceAddress", s.cfg.Host.Info().IP, "TcpTestSucceeded", err == nil))
}

func refuseRestart(s *Shell, c *call, _ emit) error {
	return s.fail(c, "NotSupported", "The simulated node cannot be restarted or shut down from its own shell.")
}

func ipconfig(s *Shell, _ *call, out emit) error {
	ip := s.cfg.Host.Info().IP
	gateway := ip[:strings.LastIndexByte(ip, '.')+1] + "1"
	return out("\nWindows IP Configuration\n\n\nEthernet adapter Ethernet:\n\n   Connection-specific DNS Suffix  . : ec2.internal\n   IPv4 Address. . . . . . . . . . . : " +
		ip + "\n   Subnet Mask . . . . . . . . . . . : 255.255.255.0\n   Default Gateway . . . . . . . . . : " + gateway)
}

func systeminfo(s *Shell, _ *call, out emit) error {
	info := s.cfg.Host.Info()
	return out(fmt.Sprintf("\nHost Name:                 %s\nOS Name:                   %s\nOS Version:                %s N/A Build 20348\nSystem Boot Time:          %s\nSystem Manufacturer:       Amazon EC2\nSystem Model:              %s\nSystem Type:               x64-based PC\nTotal Physical Memory:     %s MB",
		info.Hostname, info.OS, info.Version, info.Boot.UTC().Format("1/2/2006, 3:04:05 PM"), info.InstanceType, thousands(fmt.Sprint(info.Memory))))
}

func tasklist(s *Shell, _ *call, out emit) error {
	var b strings.Builder
	b.WriteString("\nImage Name                     PID Session Name        Session#    Mem Usage\n========================= ======== ================ =========== ============\n")
	for _, p := range s.cfg.Host.Processes() {
		fmt.Fprintf(&b, "%-25s %8d %-16s %11d %10s K\n", p.Name+".exe", p.ID, "Services", 0, thousands(fmt.Sprint(p.Memory)))
	}
	return out(strings.TrimSuffix(b.String(), "\n"))
}
