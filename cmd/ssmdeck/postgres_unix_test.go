//go:build unix

package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

const (
	ordersHost     = "orders-prod.cluster-c9x2k1example.us-east-1.rds.amazonaws.com"
	ordersPassword = "correct-horse"
)

// TestRealPostgres reaches a real server with a real client, by the name of the
// database, with the certificate checked against the name of its endpoint.
func TestRealPostgres(t *testing.T) {
	pg := startPostgres(t)
	p := newPsql(t, pg)

	t.Run("a query, with the certificate verified", func(t *testing.T) {
		out, errs, code := p.run(t, nil, "forward", "rds", "orders-prod", "--user", "dbadmin", "--", "psql", "-At", "-c",
			"select 6*7, current_user, ssl from pg_stat_ssl where pid = pg_backend_pid()")
		if code != 0 || out != "42|dbadmin|t\n" {
			t.Errorf("status %d, got %q\n%s", code, out, errs)
		}
	})
	t.Run("psql's own exit status", func(t *testing.T) {
		_, errs, code := p.run(t, nil, "forward", "rds", "orders-prod", "--user", "dbadmin", "--", "psql", "-v", "ON_ERROR_STOP=1", "-c", "select nothing from nowhere")
		if code != 1 || !strings.Contains(errs, `relation "nowhere" does not exist`) {
			t.Errorf("status %d\n%s", code, errs)
		}
		// 3 is psql's for a script that failed, 2 for a connection that did.
		if _, errs, code := p.run(t, strings.NewReader("select nothing;\n"), "forward", "rds", "orders-prod", "--user", "dbadmin", "--", "psql", "-v", "ON_ERROR_STOP=1", "-f", "-"); code != 3 {
			t.Errorf("status %d\n%s", code, errs)
		}
		if _, errs, code := p.run(t, nil, "forward", "rds", "orders-prod", "--user", "nobody", "--", "psql", "-w", "-c", "select 1"); code != 2 {
			t.Errorf("status %d\n%s", code, errs)
		}
	})
	t.Run("a wrong name is refused", func(t *testing.T) {
		// The same server under the name of a member, which its certificate lacks.
		_, errs, code := p.run(t, nil, "forward", "rds", "orders-prod-1", "--user", "dbadmin", "--", "psql", "-c", "select 1")
		if code != 2 || !strings.Contains(errs, "does not match host name") {
			t.Errorf("status %d\n%s", code, errs)
		}
	})
	t.Run("psql is known to a plain forward as well", func(t *testing.T) {
		out, errs, code := p.run(t, nil, "forward", "web-1", "0:"+ordersHost+":5432", "--", "psql", "-At", "-U", "dbadmin", "-d", "postgres", "-c", "select 1")
		if code != 0 || out != "1\n" {
			t.Errorf("status %d, got %q\n%s", code, out, errs)
		}
	})
	t.Run("20 MB in and out", func(t *testing.T) {
		const rows, size = 20, 1 << 20
		sum := sha256.New()
		var in bytes.Buffer
		in.WriteString("create table blob (id int, body bytea);\ncopy blob from stdin;\n")
		for i := range rows {
			block := make([]byte, size)
			_, _ = rand.Read(block)
			sum.Write(block)
			fmt.Fprintf(&in, "%d\t\\\\x%x\n", i, block)
		}
		in.WriteString("\\.\n")
		want := hex.EncodeToString(sum.Sum(nil))
		if _, errs, code := p.run(t, &in, "forward", "rds", "orders-prod", "--user", "dbadmin", "--", "psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"); code != 0 {
			t.Fatalf("copy in: status %d\n%s", code, errs)
		}
		out, errs, code := p.run(t, nil, "forward", "rds", "orders-prod", "--user", "dbadmin", "--", "psql", "-At", "-c", "copy (select encode(body, 'base64') from blob order by id) to stdout")
		if code != 0 {
			t.Fatalf("copy out: status %d\n%s", code, errs)
		}
		got := sha256.New()
		for i, line := range strings.Split(strings.TrimSpace(out), "\n") {
			// In COPY's text format a line feed inside a value is written \n.
			block, err := decodeBase64(strings.ReplaceAll(line, `\n`, ""))
			if err != nil {
				t.Fatalf("row %d: %v", i, err)
			}
			got.Write(block)
		}
		if hex.EncodeToString(got.Sum(nil)) != want {
			t.Error("what came back is not what was sent")
		}
		server, errs, _ := p.run(t, nil, "forward", "rds", "orders-prod", "--user", "dbadmin", "--", "psql", "-At", "-c", "select encode(sha256(string_agg(body, ''::bytea order by id)), 'hex') from blob")
		if strings.TrimSpace(server) != want {
			t.Errorf("the server has %q, sent was %s\n%s", server, want, errs)
		}
	})
	t.Run("after a failover new connections reach the new address", func(t *testing.T) {
		if _, err := exec.LookPath("curl"); err != nil {
			t.Skip("curl is not installed")
		}
		other, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		greeted := make(chan struct{})
		go func() {
			if c, err := other.Accept(); err == nil {
				close(greeted)
				_ = c.Close()
			}
		}()
		script := filepath.Join(t.TempDir(), "failover.sh")
		move := fmt.Sprintf(`curl -sf -X POST -H 'Content-Type: application/json' -d '{"name": %q, "port": 5432, "connect": %q}' %s%s`, ordersHost, other.Addr(), p.srv.URL(), simulator.HostsPath)
		// The name leads elsewhere, and the old server goes down some time after
		// the look-up.
		text := fmt.Sprintf("set -e\npsql -At -c 'select 1'\n%s\nkill -INT %d\nwhile kill -0 %[2]d 2>/dev/null; do sleep 0.1; done\nsleep 1\npsql -At -c 'select 2' && exit 1\nexit 0\n", move, pg.pid)
		if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, errs, code := p.run(t, nil, "forward", "rds", "orders-prod", "--user", "dbadmin", "--", "sh", script)
		if code != 0 || out != "1\n" {
			t.Fatalf("status %d, got %q\n%s", code, out, errs)
		}
		select {
		case <-greeted:
		case <-time.After(20 * time.Second):
			t.Error("nobody came to the new address")
		}
	})
}

func decodeBase64(s string) ([]byte, error) {
	return io.ReadAll(base64.NewDecoder(base64.StdEncoding, strings.NewReader(s)))
}

// psql runs the binary on a simulator whose orders-prod is the real server.
type psql struct {
	srv    *simulator.Server
	binary string
	env    []string
}

func newPsql(t *testing.T, pg *postgres) *psql {
	t.Helper()
	scenario := world.Demo()
	for i := range scenario.Databases {
		if d := &scenario.Databases[i]; d.Name == "orders-prod" || d.Name == "orders-prod-1" {
			d.Serve, d.Connect = "", pg.address
			d.Database = "postgres"
		}
	}
	srv, err := simulator.Start(t.Context(), simulator.Options{Scenario: scenario})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if n := srv.Settle(patience); n != 0 {
			t.Errorf("%d sessions are still open", n)
		}
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	binary, err := exec.LookPath("ssmdeck")
	if err != nil {
		t.Fatal(err)
	}
	p := &psql{srv: srv, binary: binary}
	home := t.TempDir()
	p.env = append(srv.Env(), "PATH="+pg.bin+":"+os.Getenv("PATH"), "HOME="+home, "XDG_CACHE_HOME="+home, "LANG=C",
		"PGPASSWORD="+ordersPassword, "PGSSLMODE=verify-full", "PGSSLROOTCERT="+pg.ca, "NO_PROXY=127.0.0.1")
	return p
}

// run runs ssmdeck to its end.
func (p *psql) run(t *testing.T, in io.Reader, args ...string) (out, errs string, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), p.binary, args...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = p.env, in, &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

// postgres is a running server.
type postgres struct {
	bin     string // folder of its programs
	address string // 127.0.0.1:PORT
	ca      string // PEM file
	pid     int
}

// startPostgres starts a server that takes TLS connections only, with a
// certificate for ordersHost. It skips the test where there is none.
func startPostgres(t *testing.T) *postgres {
	t.Helper()
	pg := &postgres{bin: postgresPrograms(t)}
	dir, err := os.MkdirTemp("", "ssmdeck-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	as := unprivileged(t, dir)
	pg.ca = certify(t, dir, ordersHost)
	run := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(pg.bin, name), args...)
		cmd.Dir, cmd.SysProcAttr = dir, &syscall.SysProcAttr{Credential: as}
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LANG=C"}
		return cmd
	}
	own := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if as != nil {
			if err := os.Chown(path, int(as.Uid), int(as.Gid)); err != nil {
				t.Fatal(err)
			}
		}
		return path
	}
	if as != nil {
		if err := os.Chown(filepath.Join(dir, "server.key"), int(as.Uid), int(as.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	data, hba, secret := filepath.Join(dir, "data"), own("hba.conf", "hostssl all all 127.0.0.1/32 scram-sha-256\n"), own("secret", ordersPassword)
	if out, err := run("initdb", "-D", data, "-U", "dbadmin", "-A", "scram-sha-256", "--pwfile="+secret, "-N", "--no-locale", "-E", "UTF8").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	options := []string{
		"-D", data, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "hba_file=" + hba,
		"-c", "ssl=on", "-c", "ssl_cert_file=" + filepath.Join(dir, "server.crt"), "-c", "ssl_key_file=" + filepath.Join(dir, "server.key"), "-c", "fsync=off",
	}
	for range 5 {
		log := pg.start(t, run, options)
		if log == "" {
			return pg
		}
		if !strings.Contains(log, "Address already in use") { // the port was free a moment ago
			t.Fatalf("postgres ended:\n%s", log)
		}
	}
	t.Fatal("every port that was free a moment ago is taken")
	return nil
}

// start starts the server on a port that is free, and waits until it is ready. It returns
// what the server said when it has ended instead.
func (pg *postgres) start(t *testing.T, run func(name string, args ...string) *exec.Cmd, options []string) (log string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	_ = l.Close()
	server := run("postgres", append(options, "-c", "port="+port)...)
	var said bytes.Buffer
	server.Stdout, server.Stderr = &said, &said
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	pg.address, pg.pid = l.Addr().String(), server.Process.Pid
	ended := make(chan struct{})
	go func() { _ = server.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGINT) // fast shutdown
		<-ended
	})
	for deadline := time.Now().Add(patience); ; {
		ready := run("pg_isready", "-q", "-h", "127.0.0.1", "-p", port).Run() == nil
		select {
		case <-ended:
			return said.String()
		case <-time.After(50 * time.Millisecond): // another process: there is nothing to wait on
		}
		if ready {
			return ""
		}
		if time.Now().After(deadline) {
			t.Fatal("postgres does not get ready")
		}
	}
}

// postgresPrograms finds the folder that has all that is needed.
func postgresPrograms(t *testing.T) string {
	t.Helper()
	folders, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if path, err := exec.LookPath("initdb"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			folders = append(folders, filepath.Dir(real))
		}
	}
	for i := len(folders) - 1; i >= 0; i-- {
		missing := false
		for _, name := range []string{"initdb", "postgres", "pg_isready", "psql"} {
			_, err := exec.LookPath(filepath.Join(folders[i], name))
			missing = missing || err != nil
		}
		if !missing {
			return folders[i]
		}
	}
	t.Skip("PostgreSQL is not installed (initdb, postgres, pg_isready, psql)")
	return ""
}

// unprivileged is whom to run the server as, nil for ourselves: it refuses to run
// as root.
func unprivileged(t *testing.T, dir string) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 != nil || err2 != nil {
			continue
		}
		if err := os.Chown(dir, int(uid), int(gid)); err != nil {
			t.Fatal(err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	t.Skip("no user to run PostgreSQL as")
	return nil
}

// certify writes a CA (ca.crt) and a certificate that it issued for host
// (server.crt, server.key) into dir, and returns the path of the CA.
func certify(t *testing.T, dir, host string) string {
	t.Helper()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		mode := os.FileMode(0o644)
		if strings.HasSuffix(name, ".key") {
			mode = 0o600
		}
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	issue := func(serial int64, name string, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c := &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
			BasicConstraintsValid: true,
		}
		if parent == nil {
			c.IsCA, c.KeyUsage, parent, signer = true, x509.KeyUsageCertSign, c, key
		} else {
			c.DNSNames, c.KeyUsage, c.ExtKeyUsage = []string{name}, x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		}
		der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
		if err != nil {
			t.Fatal(err)
		}
		if c, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
		return c, key
	}
	ca, caKey := issue(1, "Test CA", nil, nil)
	leaf, leafKey := issue(2, host, ca, caKey)
	der, err := x509.MarshalECPrivateKey(leafKey)
	if err != nil {
		t.Fatal(err)
	}
	write("server.key", "EC PRIVATE KEY", der)
	write("server.crt", "CERTIFICATE", leaf.Raw)
	return write("ca.crt", "CERTIFICATE", ca.Raw)
}
