package sshconfig

import (
	"bytes"
	"testing"
)

const line = "Include /home/me/.ssh/ssmdeck.config # managed-by-ssmdeck"

func TestInclude(t *testing.T) {
	for path, want := range map[string]string{
		"/home/me/.ssh/ssmdeck.config": line,
		"/home/m e/ssmdeck.config":     `Include "/home/m e/ssmdeck.config" # managed-by-ssmdeck`,
	} {
		if got := Include(path); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestInsert(t *testing.T) {
	const other = "Include /elsewhere # managed-by-ssmdeck"
	tests := []struct{ name, config, want string }{
		{"nothing", "", line + "\n"},
		{"above everything", "# mine\nHost a\n  User b\n", line + "\n# mine\nHost a\n  User b\n"},
		{"no end of line", "Host a", line + "\nHost a"},
		{"ends of lines of Windows", "Host a\r\n", line + "\r\nHost a\r\n"},
		{"there already", "# x\n" + line + "\nHost a\n", "# x\n" + line + "\nHost a\n"},
		{"there already, as the last", "# x\n" + line, "# x\n" + line},
		{"another path, replaced where it stands", "# x\r\n" + other + "\r\nHost a\r\n", "# x\r\n" + line + "\r\nHost a\r\n"},
		{"a line of the user's", "Include /home/me/.ssh/ssmdeck.config\n", line + "\nInclude /home/me/.ssh/ssmdeck.config\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(Insert([]byte(tt.config), line)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRemoveTakesOnlyOurs(t *testing.T) {
	for config, want := range map[string]string{
		"":                                   "",
		line:                                 "",
		"a\n" + line + "\r\nb":               "a\nb",
		line + "\n" + line + "\nx\n":         "x\n",
		"# " + line + "\n":                   "# " + line + "\n",
		"Include x\nHost managed-by-ssmdeck": "Include x\nHost managed-by-ssmdeck",
	} {
		if got := string(Remove([]byte(config))); got != want {
			t.Errorf("%q: got %q, want %q", config, got, want)
		}
	}
}

func FuzzInsertAndRemove(f *testing.F) {
	for _, seed := range []string{"", "Host a\n", "Host a\r\n  User b\r\n", "\n", "\r\n", "x", line + "\n", "a\r", "\xff\x00\n\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, config []byte) {
		before := bytes.Clone(config)
		with := Insert(config, line)
		if again := Insert(with, line); !bytes.Equal(again, with) {
			t.Errorf("inserting twice: %q, then %q", with, again)
		}
		if !bytes.Equal(config, before) {
			t.Error("the text given was changed")
		}
		if _, _, ours := find(config); !ours {
			if got := Remove(with); !bytes.Equal(got, before) {
				t.Errorf("removing left %q of %q", got, before)
			}
		}
		if _, _, left := find(Remove(with)); left {
			t.Error("something of ours was left")
		}
	})
}
