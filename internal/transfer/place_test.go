package transfer

import (
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func TestParsePlace(t *testing.T) {
	tests := []struct {
		in           string
		windows      bool
		target, path string
	}{
		{"web-1:/tmp/x", false, "web-1", "/tmp/x"},
		{"web-1:x:y", false, "web-1", "x:y"},
		{"web-1:", false, "web-1", "."},
		{"web-1:~/x", false, "web-1", "~/x"},
		{"i-0123456789abcdef0:/etc/hosts", false, "i-0123456789abcdef0", "/etc/hosts"},
		{"@web:/tmp/", false, "@web", "/tmp/"},
		{"all:/tmp/", false, "all", "/tmp/"},
		{"web-*:/x", false, "web-*", "/x"},
		{"db-admin:C:/data/x", false, "db-admin", "C:/data/x"},
		{`db-admin:C:\data\x`, true, "db-admin", `C:\data\x`},
		{"tag:role=web:/etc/x", false, "tag:role=web", "/etc/x"},
		{"tag:env=prod,dev:x:y", false, "tag:env=prod,dev", "x:y"},
		{"tag:aws:autoscaling:groupName=web:/x", false, "tag:aws:autoscaling:groupName=web", "/x"},
		{`tag:k=a\:b:/x`, false, `tag:k=a\:b`, "/x"},
		{"tag:env:/x", false, "tag:env", "/x"},
		{"tag:env:/x=y", false, "tag:env", "/x=y"},
		{"name:web-?:/x", false, "name:web-?", "/x"},
		{"file:hosts/prod.txt:/x", false, "file:hosts/prod.txt", "/x"},
		{`file:C:\hosts.txt:/x`, true, `file:C:\hosts.txt`, "/x"},
		{"ecs:c_0a_0b:/x", false, "ecs:c_0a_0b", "/x"},

		{"x", false, "", "x"},
		{"-", false, "", "-"},
		{"./a:b", false, "", "./a:b"},
		{"/a:b", false, "", "/a:b"},
		{"dir/a:b", false, "", "dir/a:b"},
		{":x", false, "", ":x"},
		{`C:\x`, false, "", `C:\x`},
		{`C:\x`, true, "", `C:\x`},
		{"C:/x", true, "", "C:/x"},
		{"c:x", true, "", "c:x"},
		{"c:x", false, "c", "x"},
		{`dir\a:b`, true, "", `dir\a:b`},
	}
	for _, tt := range tests {
		p, err := ParsePlace(tt.in, tt.windows)
		if err != nil || p.Target != tt.target || p.Path != tt.path {
			t.Errorf("ParsePlace(%q, %v) = %q, %q, %v; want %q, %q", tt.in, tt.windows, p.Target, p.Path, err, tt.target, tt.path)
		}
	}
	for _, in := range []string{"", "tag:env=prod", "name:web", "file:x", "tag:env"} {
		if p, err := ParsePlace(in, false); fault.KindOf(err) != fault.Usage {
			t.Errorf("ParsePlace(%q) = %v, %v; want a usage error", in, p, err)
		}
	}
}

func TestBaseAndParent(t *testing.T) {
	tests := []struct{ in, base, parent string }{
		{"/etc/hosts", "hosts", "/etc"},
		{"hosts", "hosts", "."},
		{"dir/", "dir", "."},
		{"/", "", "/"},
		{".", "", "."},
		{"dir/.", "", "dir"},
		{"~", "", "~/.."},
		{"~/x", "x", "~"},
		{"/x", "x", "/"},
		{"x/~", "~", "x"},
	}
	for _, tt := range tests {
		if b, p := remoteBase(tt.in), parent(tt.in); b != tt.base || p != tt.parent {
			t.Errorf("%q: base %q, parent %q; want %q, %q", tt.in, b, p, tt.base, tt.parent)
		}
	}
}
