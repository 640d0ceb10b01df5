package instanceconnect

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// keyTypes are the types of keys that EC2 Instance Connect takes, with the name
// that ssh-keygen gives their files, best first.
var keyTypes = []struct{ name, file string }{
	{"ssh-ed25519", "id_ed25519.pub"},
	{"ssh-rsa", "id_rsa.pub"},
}

const (
	// maxKeyFile bounds what is read: the API takes 4096 characters.
	maxKeyFile = 64 << 10
	maxKey     = 4096
)

// DefaultKey returns the path of the public key that a user with the given home
// folder has, a fault of kind NotFound when there is none that can be pushed.
func DefaultKey(home string) (string, error) {
	for _, t := range keyTypes {
		path := filepath.Join(home, ".ssh", t.file)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fault.New(fault.NotFound, "find a key to push", "there is no ~/.ssh/id_ed25519.pub or id_rsa.pub").
		WithHint("make one with `ssh-keygen -t ed25519`, or name another with --key FILE.pub")
}

// ReadKey reads a public key file. Given a private key, it reads the file of its
// public half, with .pub added; a private key itself is never sent anywhere.
// Errors are faults of kind Usage.
func ReadKey(path string) (string, error) {
	key, err := readKey(path)
	if err != nil {
		return "", fault.New(fault.Usage, "read the key "+path, "%w", err).WithHint("name a file such as ~/.ssh/id_ed25519.pub")
	}
	return key, nil
}

var errPrivate = errors.New("it is a private key, and there is no public one beside it")

func readKey(path string) (string, error) {
	text, err := readSmall(path)
	if err != nil {
		return "", err
	}
	if strings.Contains(text, "PRIVATE KEY") {
		if text, err = readSmall(path + ".pub"); errors.Is(err, fs.ErrNotExist) {
			return "", errPrivate
		} else if err != nil {
			return "", err
		}
		if strings.Contains(text, "PRIVATE KEY") {
			return "", errPrivate
		}
	}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		return line, checkKey(line)
	}
	return "", errors.New("there is no key in it")
}

func readSmall(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var b bytes.Buffer
	n, err := b.ReadFrom(io.LimitReader(f, maxKeyFile+1))
	if n > maxKeyFile {
		return "", errors.New("it is too large for a key")
	}
	return b.String(), err
}

// checkKey looks at the two parts that matter: the type, and that the data says
// the same.
func checkKey(line string) error {
	fields := strings.Fields(line)
	if len(line) > maxKey {
		return errors.New("the key is longer than EC2 Instance Connect takes")
	}
	for _, t := range keyTypes {
		if len(fields) < 2 || fields[0] != t.name {
			continue
		}
		blob, err := base64.StdEncoding.DecodeString(fields[1])
		if err != nil || !bytes.HasPrefix(blob, appendText(nil, t.name)) {
			return errors.New("the key is damaged")
		}
		return nil
	}
	return errors.New("EC2 Instance Connect takes keys of type ssh-ed25519 and ssh-rsa, and this is none")
}

// NewKey makes an ed25519 key: the private half as ssh reads it from a file, the
// public half as a line of authorized_keys.
func NewKey(comment string) (private []byte, public string) {
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err) // documented never to happen
	}
	blob := appendText(appendText(nil, "ssh-ed25519"), string(pub))

	// PROTOCOL.key of OpenSSH: two equal numbers, which prove to the reader that
	// it has deciphered well, the keys, and a padding that counts.
	var check [4]byte
	_, _ = rand.Read(check[:]) // documented never to fail
	secret := append(append([]byte{}, check[:]...), check[:]...)
	secret = append(secret, blob...)
	secret = appendText(secret, string(priv))
	secret = appendText(secret, comment)
	for i := byte(1); len(secret)%8 != 0; i++ {
		secret = append(secret, i)
	}

	file := append([]byte("openssh-key-v1"), 0)
	file = appendText(file, "none") // cipher
	file = appendText(file, "none") // key derivation
	file = appendText(file, "")     // its options
	file = binary.BigEndian.AppendUint32(file, 1)
	file = appendText(file, string(blob))
	file = appendText(file, string(secret))
	private = pem.EncodeToMemory(&pem.Block{Type: "OPENSSH PRIVATE KEY", Bytes: file})
	return private, "ssh-ed25519 " + base64.StdEncoding.EncodeToString(blob) + " " + comment
}

// appendText appends a string as SSH writes it: its length and its bytes.
func appendText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}
