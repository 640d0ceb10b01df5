package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// findSSHD returns the path of an OpenSSH server that can run here, "" when
// there is none. Debian calls it openssh-server.
func findSSHD() string {
	for _, name := range []string{"sshd", "/usr/sbin/sshd", "/usr/local/sbin/sshd", "/opt/homebrew/sbin/sshd"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if os.Getuid() == 0 && os.MkdirAll("/run/sshd", 0o755) != nil { // its privilege separation wants it
			return ""
		}
		for _, client := range []string{"ssh", "ssh-keygen"} {
			if _, err := exec.LookPath(client); err != nil {
				return ""
			}
		}
		return path
	}
	return ""
}

// sshServer is a real OpenSSH server: one process for every connection, with keys
// and settings of its own.
type sshServer struct {
	sshd, config string
	listener     net.Listener
	wg           sync.WaitGroup
}

// cmdSSHD starts a server and puts its address in place of $SSHD in a file, which
// is a scenario. $SSHUSER is who may log in, with the key $WORK/key; ssh reads
// $WORK/ssh_config.
func cmdSSHD(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: sshd FILE")
	}
	me, err := user.Current()
	ts.Check(err)
	dir := ts.MkAbs("sshd")
	ts.Check(os.MkdirAll(dir, 0o700))
	for _, key := range []string{filepath.Join(dir, "host"), ts.MkAbs("key")} {
		ts.Check(ts.Exec("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	s := &sshServer{sshd: findSSHD(), config: filepath.Join(dir, "config"), listener: listener}
	ts.Check(os.WriteFile(s.config, []byte(strings.Join([]string{
		"HostKey " + filepath.Join(dir, "host"),
		"AuthorizedKeysFile " + ts.MkAbs("key.pub"),
		"StrictModes no", "UsePAM no", "PasswordAuthentication no", "KbdInteractiveAuthentication no",
		"PermitRootLogin yes", "Subsystem sftp internal-sftp", "MaxAuthTries 20", "",
	}, "\n")), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("ssh_config"), []byte(strings.Join([]string{
		"IdentityFile " + ts.MkAbs("key"), "IdentityAgent none",
		"UserKnownHostsFile " + ts.MkAbs("known_hosts"), "GlobalKnownHostsFile none",
		"StrictHostKeyChecking accept-new", "BatchMode yes", "",
	}, "\n")), 0o600))
	text := strings.ReplaceAll(ts.ReadFile(args[0]), "$SSHD", listener.Addr().String())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
	ts.Setenv("SSHUSER", me.Username)

	ctx, cancel := context.WithCancel(context.Background())
	s.wg.Go(func() { s.serve(ctx) })
	ts.Defer(func() {
		cancel()
		_ = listener.Close()
		s.wg.Wait()
	})
}

func (s *sshServer) serve(ctx context.Context) {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		socket, err := conn.(*net.TCPConn).File()
		_ = conn.Close()
		if err != nil {
			return
		}
		s.wg.Go(func() {
			defer socket.Close()
			cmd := exec.CommandContext(ctx, s.sshd, "-i", "-f", s.config, "-E", s.config+".log")
			cmd.Stdin, cmd.Stdout = socket, socket
			_ = cmd.Run() // the client notices
		})
	}
}

// cmdPushedKeys makes the server of a script let in who has a key that was
// pushed to a node. Only root's server may ask somebody for keys.
func cmdPushedKeys(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: pushed-keys NODE")
	}
	curl, err := exec.LookPath("curl")
	ts.Check(err)
	f, err := os.OpenFile(ts.MkAbs("sshd/config"), os.O_WRONLY|os.O_APPEND, 0)
	ts.Check(err)
	defer f.Close()
	_, err = fmt.Fprintf(f, "AuthorizedKeysCommand %s -sf %s/simulator/ssh-keys?node=%s&user=%%u\nAuthorizedKeysCommandUser root\n", curl, simulators.get(ts).URL(), args[0])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("key.pub"), nil, 0o600)) // nothing else lets anybody in
}

// sshCondition answers the conditions of scripts that need OpenSSH.
func sshCondition(cond string) (bool, error) {
	switch cond {
	case "sshd":
		return findSSHD() != "", nil
	case "root":
		return os.Getuid() == 0, nil
	default:
		return false, errors.New("unknown condition " + cond)
	}
}

// BenchmarkSSHBanner measures the time from the start of the program to the first
// byte of the server, which is the price of every ssh, scp and git command.
func BenchmarkSSHBanner(b *testing.B) {
	h := newHouse(b, world.Faults{})
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	binary := filepath.Join(b.TempDir(), "ssmdeck")
	if err := os.Symlink(self, binary); err != nil {
		b.Skip(err)
	}
	first := make([]byte, 4)
	for b.Loop() {
		cmd := exec.Command(binary, "ssh-proxy", "i-0123456789abcdef0")
		cmd.Env = append(os.Environ(), h.server.Env()...)
		in, err := cmd.StdinPipe()
		if err != nil {
			b.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		_, err = out.Read(first)
		b.StopTimer()
		if err != nil || string(first) != "SSH-" {
			b.Fatalf("got %q, %v", first, err)
		}
		_ = cmd.Process.Signal(os.Interrupt)
		_ = in.Close()
		_ = cmd.Wait()
		b.StartTimer()
	}
}
