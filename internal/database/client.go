package database

import (
	"net"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/render"
)

// Family is the protocol that a client speaks.
type Family string

// The families that this package can point clients at. Others get the variables
// that every command gets, and no more.
const (
	Postgres  Family = "postgres" // Redshift too
	MySQL     Family = "mysql"
	Redis     Family = "redis" // Valkey too
	Memcached Family = "memcached"
	HTTPS     Family = "https" // OpenSearch, Neptune
	MongoDB   Family = "mongodb"
)

// FamilyOf is that of an engine as AWS names it: aurora-postgresql.
func FamilyOf(engine string) Family {
	switch {
	case strings.Contains(engine, "postgres"), engine == "redshift":
		return Postgres
	case strings.Contains(engine, "mysql"), engine == "mariadb", engine == "aurora":
		return MySQL
	case engine == "redis", engine == "valkey":
		return Redis
	case engine == "memcached":
		return Memcached
	case engine == "opensearch", engine == "elasticsearch", engine == "neptune":
		return HTTPS
	case engine == "docdb":
		return MongoDB
	default:
		return ""
	}
}

var programs = map[string]Family{
	"psql": Postgres, "pg_dump": Postgres, "pg_dumpall": Postgres, "pg_restore": Postgres, "pg_isready": Postgres, "pgbench": Postgres, "vacuumdb": Postgres,
	"mysql": MySQL, "mysqldump": MySQL, "mysqladmin": MySQL, "mariadb": MySQL, "mariadb-dump": MySQL, "mariadb-admin": MySQL,
	"redis-cli": Redis, "valkey-cli": Redis,
}

// FamilyOfProgram is that of a client program, by its path or name.
func FamilyOfProgram(argv0 string) Family {
	return programs[program(argv0)]
}

func program(argv0 string) string {
	name := path.Base(strings.ReplaceAll(argv0, `\`, "/"))
	return strings.TrimSuffix(strings.ToLower(name), ".exe")
}

// Client is what a client needs to reach a database through a tunnel. The
// database keeps its own name for TLS, wherever a client can be told both.
type Client struct {
	Family    Family
	Host      string // the endpoint
	Port      int
	Local     string // address of the tunnel's local end
	LocalPort int
	User      string
	Database  string
	Token     string // stands for a password; a secret
	TLS       bool   // the database wants TLS
}

// Environ returns the variables, NAME=VALUE, that clients of the family read.
// What the user's own environment, asked through lookup, says of TLS stays.
func (c Client) Environ(lookup func(string) (string, bool)) []string {
	var all []string
	set := func(name, value string) {
		if value != "" {
			all = append(all, name+"="+value)
		}
	}
	switch c.Family {
	case Postgres:
		set("PGHOST", c.Host)
		set("PGHOSTADDR", c.Local)
		set("PGPORT", strconv.Itoa(c.LocalPort))
		set("PGUSER", c.User)
		set("PGDATABASE", c.Database)
		set("PGPASSWORD", c.Token)
		if _, given := lookup("PGSSLMODE"); !given && c.Token != "" {
			set("PGSSLMODE", "require") // the service takes tokens over TLS only
		}
	case MySQL:
		set("MYSQL_HOST", c.Local)
		set("MYSQL_TCP_PORT", strconv.Itoa(c.LocalPort))
		set("MYSQL_PWD", c.Token)
		if c.Token != "" {
			set("LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN", "1") // how tokens are sent, inside TLS
		}
	case Redis:
		set("REDISCLI_AUTH", c.Token)
	case Memcached, HTTPS, MongoDB:
	}
	return all
}

// Arguments returns argv with what the program would not find in its
// environment, and what was added: mysql and redis-cli get host and port, unless
// some are given.
func (c Client) Arguments(argv []string) (all, added []string) {
	if FamilyOfProgram(argv[0]) != c.Family {
		return argv, nil
	}
	at := 1
	switch c.Family {
	case MySQL:
		for at < len(argv) && mustLead(argv[at]) {
			at++
		}
		added = c.mysqlArguments(program(argv[0]), argv[at:])
	case Redis:
		added = c.redisArguments(argv[1:])
	case Postgres, Memcached, HTTPS, MongoDB:
	}
	return slices.Concat(argv[:at], added, argv[at:]), added
}

// mustLead reports whether a program of MySQL takes an option only in front of
// all others.
func mustLead(option string) bool {
	return slices.ContainsFunc([]string{"--defaults-", "--no-defaults", "--login-path", "--no-login-paths"}, func(p string) bool { return strings.HasPrefix(option, p) })
}

func (c Client) mysqlArguments(program string, args []string) (added []string) {
	if !given(args, "hPS", "--host", "--port", "--socket") {
		added = append(added, "--host="+c.Local, "--port="+strconv.Itoa(c.LocalPort), "--protocol=TCP")
	}
	if c.User != "" && !given(args, "u", "--user") {
		added = append(added, "--user="+c.User)
	}
	if c.Database != "" && takesDatabase(program) && !given(args, "D", "--database") {
		added = append(added, "--database="+c.Database)
	}
	return added
}

func (c Client) redisArguments(args []string) (added []string) {
	if !given(args, "hpsu") {
		added = append(added, "-h", c.Local, "-p", strconv.Itoa(c.LocalPort))
	}
	if c.TLS && !given(args, "", "--tls") {
		added = append(added, "--tls", "--sni", c.Host)
	}
	if c.User != "" && !given(args, "", "--user") {
		added = append(added, "--user", c.User)
	}
	return added
}

// takesDatabase reports whether a program of MySQL knows --database.
func takesDatabase(program string) bool { return program == "mysql" || program == "mariadb" }

// given reports whether args hold one of the options: short ones by their
// letters, with or without a value attached, long ones by their names.
func given(args []string, short string, long ...string) bool {
	for _, a := range args {
		if len(a) > 1 && a[0] == '-' && a[1] != '-' && strings.ContainsRune(short, rune(a[1])) {
			return true
		}
		name, _, _ := strings.Cut(a, "=")
		if slices.Contains(long, name) {
			return true
		}
	}
	return false
}

// Line is a command that can be pasted into a shell, without a password; ""
// when there is none to suggest.
func (c Client) Line() string {
	port := strconv.Itoa(c.LocalPort)
	var argv []string
	switch c.Family {
	case Postgres:
		info := "host=" + c.Host + " hostaddr=" + c.Local + " port=" + port + " sslmode=verify-full"
		if c.Database != "" {
			info += " dbname=" + conninfo(c.Database)
		}
		if c.User != "" {
			info += " user=" + conninfo(c.User)
		}
		argv = []string{"psql", info}
	case MySQL:
		argv = []string{"mysql", "-h", c.Local, "-P", port}
		if c.User != "" {
			argv = append(argv, "-u", c.User)
		}
		argv = append(argv, "-p")
		if c.Database != "" {
			argv = append(argv, c.Database)
		}
	case Redis:
		argv = []string{"redis-cli", "-h", c.Local, "-p", port}
		if c.TLS {
			argv = append(argv, "--tls", "--sni", c.Host)
		}
		if c.User != "" {
			argv = append(argv, "--user", c.User, "--askpass")
		}
	case HTTPS:
		at := net.JoinHostPort(c.Host, strconv.Itoa(c.Port))
		argv = []string{"curl", "--connect-to", at + ":" + net.JoinHostPort(c.Local, port), c.origin(c.Host, c.Port)}
	case MongoDB:
		argv = []string{"mongosh", "--host", c.Local, "--port", port, "--tls", "--tlsAllowInvalidHostnames", "--retryWrites=false"}
		if c.User != "" {
			argv = append(argv, "--username", c.User)
		}
	case Memcached:
		return "memcached: " + net.JoinHostPort(c.Local, port)
	default:
		return ""
	}
	for i := range argv {
		argv[i] = render.ShellWord(argv[i])
	}
	return strings.Join(argv, " ")
}

func (c Client) origin(host string, port int) string {
	if port == httpsPort {
		return "https://" + host + "/"
	}
	return "https://" + net.JoinHostPort(host, strconv.Itoa(port)) + "/"
}

// URL is the tunnel as a client's URL, without a password; "" when the family
// has none.
func (c Client) URL() string {
	u := url.URL{Host: net.JoinHostPort(c.Local, strconv.Itoa(c.LocalPort)), Path: "/" + c.Database}
	if c.User != "" {
		u.User = url.User(c.User)
	}
	switch c.Family {
	case Postgres: // the name for TLS, the address to connect to
		u.Scheme, u.Host = "postgresql", net.JoinHostPort(c.Host, strconv.Itoa(c.LocalPort))
		u.RawQuery = "hostaddr=" + url.QueryEscape(c.Local) + "&sslmode=verify-full"
	case MySQL:
		u.Scheme = "mysql"
	case Redis:
		u.Scheme, u.Path = "redis", ""
		if c.TLS {
			u.Scheme = "rediss"
		}
	case HTTPS:
		u.Scheme = "https"
	case MongoDB:
		u.Scheme, u.RawQuery = "mongodb", "tls=true&tlsAllowInvalidHostnames=true&directConnection=true&retryWrites=false"
	case Memcached:
		u.Scheme, u.Path = "memcached", ""
	default:
		return ""
	}
	return u.String()
}

// conninfo quotes a value of libpq's connection strings.
func conninfo(s string) string {
	if !strings.ContainsAny(s, ` '\`) {
		return s
	}
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
