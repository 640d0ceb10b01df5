package paramfile

import (
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/parameter"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// bare are values that shells, docker and all libraries for dotenv read the same
// without quotes.
var bare = pattern.Lazy(`^[A-Za-z0-9_./:@%+,-][A-Za-z0-9_./:@%+,=-]*$`)

// quotedSingle is a value in quotes in which nothing means anything: what POSIX shells
// read as it stands.
func quotedSingle(v string) string { return "'" + strings.ReplaceAll(v, "'", `'\''`) + "'" }

var inDouble = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`")

func encodeShell(b printer, list []item, o Options) error {
	for _, it := range list {
		o.writeNote(b, it)
		b.str("export " + it.key + "=")
		if bare().MatchString(it.Value) {
			b.str(it.Value)
		} else {
			b.str(quotedSingle(it.Value))
		}
		b.char('\n')
	}
	return nil
}

// encodeDotenv writes what a shell reads, too. Libraries read single quotes alike;
// apostrophes need double quotes, in which they differ on backslashes and $.
func encodeDotenv(b printer, list []item, o Options) error {
	for _, it := range list {
		o.writeNote(b, it)
		b.str(it.key + "=")
		switch {
		case bare().MatchString(it.Value):
			b.str(it.Value)
		case strings.Contains(it.Value, "'"):
			b.str(`"` + inDouble.Replace(it.Value) + `"`)
		default:
			b.str("'" + it.Value + "'")
		}
		b.char('\n')
	}
	return nil
}

// shellOwn are variables that shells, or what finds and loads programs, go by, and those
// of bash and zsh that cannot be set, or are something else when they are read
// (bash(1), Shell Variables; zshparam(1); ld.so(8)).
var shellOwn = []string{
	"PATH", "HOME", "IFS", "CDPATH", "ENV", "SHELL", "PWD", "OLDPWD", "TMPDIR", "OPTIND", "OPTARG", "PS1", "PS2", "PS3", "PS4", "LANG",
	"UID", "EUID", "GID", "EGID", "PPID", "USERNAME", "GROUPS", "STATUS", "HOSTTYPE", "BASH", "BASHOPTS", "SHELLOPTS", "PROMPT_COMMAND",
	"FUNCNAME", "DIRSTACK", "LINENO", "RANDOM", "SRANDOM", "SECONDS", "EPOCHSECONDS", "EPOCHREALTIME", "HISTCMD", "ZDOTDIR", "FPATH",
	"path", "cdpath", "fpath", "status", "argv", "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT",
}

func isShellOwn(key string) bool {
	return slices.Contains(shellOwn, key) || strings.HasPrefix(key, "BASH_") || strings.HasPrefix(key, "LC_") || strings.HasPrefix(key, "DYLD_")
}

// ShellOwn are the variables of a dotenv or shell file that mean something to shells
// already: the shell that reads the file may not go on as before, or not take the value.
func ShellOwn(f Format, list []parameter.Parameter, o Options) (keys []string) {
	c, err := codecOf(f)
	if err != nil || f != Dotenv && f != Shell {
		return nil
	}
	items, _ := c.items(f, list, o)
	for _, it := range items {
		if isShellOwn(it.key) {
			keys = append(keys, it.key)
		}
	}
	return keys
}

func decodeDotenv(d *decoder, data []byte) {
	(&assignments{decoder: d, s: string(data), line: 1}).read()
}

func decodeShell(d *decoder, data []byte) {
	(&assignments{decoder: d, s: string(data), line: 1, shell: true}).read()
}
