package virtual

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestScriptsCannotReachTheHost looks for every way out that a shell offers. A
// secret file and a program of the host must stay unseen, and its directories
// unchanged.
func TestScriptsCannotReachTheHost(t *testing.T) {
	host := t.TempDir()
	secret := filepath.Join(host, "secret")
	if err := os.WriteFile(secret, []byte("TOP SECRET"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOST_ONLY", "TOP SECRET")
	t.Setenv("TMPDIR", host)
	t.Setenv("HOME", host)
	t.Chdir(host)
	m := New(Spec{})
	for _, script := range []string{
		"cat " + secret, "cat < " + secret, ". " + secret, "source secret", "exec " + secret, "exec 3< " + secret + "; cat <&3",
		"cd " + host + " && cat secret", "ls -la " + host, "ls " + host + "/*", "echo " + host + "/*", "echo ./*; echo /*/*", "test -e " + secret + " && echo TOP SECRET",
		"[ -f " + secret + " ] && echo TOP SECRET", "[[ -r " + secret + " ]] && echo TOP SECRET", "[ " + secret + " -nt /etc/passwd ] && echo TOP SECRET",
		"find / -name secret", "grep -r SECRET /", "cp " + secret + " /tmp/x && cat /tmp/x", "ln -s " + secret + " /tmp/l; cat /tmp/l",
		"tail -c 100 " + secret, "dd if=" + secret, "$(<" + secret + ")", "echo $(<" + secret + ")", "mapfile -t a < " + secret + "; echo ${a[@]}",
		"cat <(cat " + secret + ")", "echo x > >(cat > " + secret + ")", "env", "export; set; declare -p", "printenv", "echo $HOST_ONLY ${HOST_ONLY}", "sudo env",
		"bash -c 'cat " + secret + "'", "sh " + secret, "sudo cat " + secret, "curl -s file://" + secret, "awk '{print}' " + secret, "sed -n p " + secret, "xargs cat <<< " + secret,
		"echo > " + host + "/new", "touch " + host + "/new", "mkdir " + host + "/dir", "rm -rf " + secret, "rm -rf " + host, "mv " + secret + " /tmp", "sudo rm -rf " + host,
		"echo x | tee " + host + "/new", "mkdir -p " + host + "/a && cd " + host + "/a && pwd -P && echo x > f", "pushd " + host, "cat ~/secret", "cd ~; cat secret",
		"cat /proc/self/environ /proc/1/environ", "cat /proc/self/cwd/secret", "ls -l /proc/self/exe", "cat /dev/tcp/127.0.0.1/1", "read x < " + secret + "; echo $x", "eval 'cat " + secret + "'", "trap 'cat " + secret + "' EXIT",
		"/bin/cat " + secret, "./secret", "PATH=" + host + ":$PATH secret", "command -v secret; type secret; hash secret; which secret", "enable -f " + secret + " x", "time cat " + secret, "coproc cat " + secret, "kill -9 $PPID; kill -0 1",
	} {
		out, _ := run(t, m, script)
		if strings.Contains(out, "TOP SECRET") {
			t.Errorf("%s\nprinted %q", script, out)
		}
	}
	entries, err := os.ReadDir(host)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Name() != "secret" {
		t.Errorf("the directory of the host now holds %v", entries)
	}
}

func TestWhatLooksLikeTheHostIsVirtual(t *testing.T) {
	m := New(Spec{})
	expect(t, m, "grep -c ssm-user /etc/passwd; echo $HOME ~ ~root ~ssm-user ~nobody ~games", "1\n/home/ssm-user /home/ssm-user /root /home/ssm-user / ~games\n")
	expect(t, m, "echo /*", "/bin /boot /dev /etc /home /lib /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp /usr /var\n")
	expect(t, m, "cd /; ls | wc -l; cd /usr/../etc && pwd; cd - > /dev/null; pwd -P; umask", "18\n/etc\n/\n0022\n")
	if out, _ := run(t, m, "echo $$ $PPID"); strings.Contains(out, itoa(os.Getpid())) {
		t.Errorf("the process id of the simulator shows: %q", out)
	}
	expect(t, m, "ulimit -n; ulimit -c 0; command -v ls; command -v go || echo none", "65535\n/usr/bin/ls\nnone\n")
	expect(t, m, "kill -0 $$ && echo alive; (exec 3> /tmp/x; echo y >&3); cat /tmp/x; ls /dev/fd 2>&1 >/dev/null", "alive\ny\n")
}

// TestNothingInThePackageCanTouchTheHost holds by construction what the other
// tests only sample: no file of the package, or of its sub-packages, imports or
// calls what would open a file, start a process or look at the environment.
func TestNothingInThePackageCanTouchTheHost(t *testing.T) {
	banned := map[string]bool{"os/exec": true, "os/user": true, "os/signal": true, "syscall": true, "plugin": true, "unsafe": true, "io/ioutil": true, "mvdan.cc/sh/v3/interp": true, "golang.org/x/sys/unix": true}
	// What may be used of packages that could do more.
	allowed := map[string]string{
		"os":       " O_RDONLY O_WRONLY O_RDWR O_CREATE O_TRUNC O_APPEND O_EXCL FileMode ModeSticky ModeSetuid ErrNotExist ErrPermission PathError ",
		"filepath": " ToSlash Separator ",
		"net":      " Conn DNSError JoinHostPort SplitHostPort Pipe ",
		"http":     " Response NewRequestWithContext ReadResponse MethodGet MethodHead MethodPost MethodPut ",
	}
	files := 0
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files++
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		for _, imp := range f.Imports {
			if banned[strings.Trim(imp.Path.Value, `"`)] {
				t.Errorf("%s imports %s", path, imp.Path.Value)
			}
			if imp.Name != nil {
				t.Errorf("%s renames the import %s, which would hide it from this test", path, imp.Path.Value)
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, ok := sel.X.(*ast.Ident)
			if !ok || pkg.Obj != nil { // a variable of that name
				return true
			}
			if list, known := allowed[pkg.Name]; known && !strings.Contains(list, " "+sel.Sel.Name+" ") {
				t.Errorf("%s uses %s.%s", path, pkg.Name, sel.Sel.Name)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 30 {
		t.Fatalf("looked at %d files only", files)
	}
}
