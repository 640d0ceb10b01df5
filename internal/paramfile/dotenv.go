package paramfile

import (
	"bufio"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// bare are values that shells, docker and all libraries for dotenv read the same
// without quotes.
var bare = pattern.Lazy(`^[A-Za-z0-9_./:@%+,-][A-Za-z0-9_./:@%+,=-]*$`)

// quotedSingle is a value in quotes in which nothing means anything: what POSIX shells
// read as it stands.
func quotedSingle(v string) string { return "'" + strings.ReplaceAll(v, "'", `'\''`) + "'" }

var inDouble = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`")

func encodeShell(b *bufio.Writer, list []item, o Options) error {
	for _, it := range list {
		o.writeNote(b, it)
		b.WriteString("export " + it.key + "=")
		if bare().MatchString(it.Value) {
			b.WriteString(it.Value)
		} else {
			b.WriteString(quotedSingle(it.Value))
		}
		b.WriteByte('\n')
	}
	return nil
}

// encodeDotenv writes what a shell reads, too. Libraries read single quotes alike;
// apostrophes need double quotes, in which they differ on backslashes and $.
func encodeDotenv(b *bufio.Writer, list []item, o Options) error {
	for _, it := range list {
		o.writeNote(b, it)
		b.WriteString(it.key + "=")
		switch {
		case bare().MatchString(it.Value):
			b.WriteString(it.Value)
		case strings.Contains(it.Value, "'"):
			b.WriteString(`"` + inDouble.Replace(it.Value) + `"`)
		default:
			b.WriteString("'" + it.Value + "'")
		}
		b.WriteByte('\n')
	}
	return nil
}

func decodeDotenv(d *decoder, data []byte) {
	(&assignments{decoder: d, s: string(data), line: 1}).read()
}

func decodeShell(d *decoder, data []byte) {
	(&assignments{decoder: d, s: string(data), line: 1, shell: true}).read()
}
