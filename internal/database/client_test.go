package database

import (
	"slices"
	"strings"
	"testing"
)

var tunnel = Client{Host: "orders.example.com", Port: 5432, Local: "127.0.0.1", LocalPort: 15432}

func (c Client) of(f Family) Client {
	c.Family = f
	return c
}

func (c Client) with(user, db, token string) Client {
	c.User, c.Database, c.Token = user, db, token
	return c
}

func (c Client) tls() Client {
	c.TLS = true
	return c
}

func TestEnviron(t *testing.T) {
	verify := map[string]string{"PGSSLMODE": "verify-full"}
	for _, tt := range []struct {
		name   string
		client Client
		env    map[string]string
		want   string
	}{
		{"the name for TLS and the address to connect to", tunnel.of(Postgres).with("app", "orders", ""), nil, "PGHOST=orders.example.com PGHOSTADDR=127.0.0.1 PGPORT=15432 PGUSER=app PGDATABASE=orders"},
		{"a token goes over TLS only", tunnel.of(Postgres).with("app", "", "secret"), nil, "PGHOST=orders.example.com PGHOSTADDR=127.0.0.1 PGPORT=15432 PGUSER=app PGPASSWORD=secret PGSSLMODE=require"},
		{"what the user wants of TLS stays", tunnel.of(Postgres).with("", "", "secret"), verify, "PGHOST=orders.example.com PGHOSTADDR=127.0.0.1 PGPORT=15432 PGPASSWORD=secret"},
		{"mysql", tunnel.of(MySQL).with("app", "shop", "secret"), nil, "MYSQL_HOST=127.0.0.1 MYSQL_TCP_PORT=15432 MYSQL_PWD=secret LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN=1"},
		{"redis", tunnel.of(Redis).with("app", "", "secret"), nil, "REDISCLI_AUTH=secret"},
		{"others find it by themselves", tunnel.of(HTTPS), nil, ""},
		{"no family", tunnel, nil, ""},
	} {
		got := tt.client.Environ(func(name string) (string, bool) { v, ok := tt.env[name]; return v, ok })
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, got, tt.want)
		}
	}
}

func TestArguments(t *testing.T) {
	for _, tt := range []struct {
		client    Client
		typed     string
		all       string
		unchanged bool
	}{
		{client: tunnel.of(Postgres).with("app", "", ""), typed: "psql -c x", unchanged: true},
		{client: tunnel.of(MySQL).with("app", "shop", ""), typed: "mysql -e x", all: "mysql --host=127.0.0.1 --port=15432 --protocol=TCP --user=app --database=shop -e x"},
		{client: tunnel.of(MySQL), typed: "/usr/bin/mysqldump --defaults-extra-file=f --no-data shop", all: "/usr/bin/mysqldump --defaults-extra-file=f --host=127.0.0.1 --port=15432 --protocol=TCP --no-data shop"},
		{client: tunnel.of(MySQL).with("app", "shop", ""), typed: "mysql -h elsewhere -uroot -Dx", unchanged: true},
		{client: tunnel.of(MySQL).with("app", "", ""), typed: "mysql --port=1", all: "mysql --user=app --port=1"},
		{client: tunnel.of(MySQL), typed: `C:\mysql\bin\MySQL.exe -e x`, all: `C:\mysql\bin\MySQL.exe --host=127.0.0.1 --port=15432 --protocol=TCP -e x`},
		{client: tunnel.of(Redis), typed: "redis-cli ping", all: "redis-cli -h 127.0.0.1 -p 15432 ping"},
		{client: tunnel.of(Redis).tls().with("app", "", "t"), typed: "valkey-cli ping", all: "valkey-cli -h 127.0.0.1 -p 15432 --tls --sni orders.example.com --user app ping"},
		{client: tunnel.of(Redis).tls(), typed: "redis-cli -p 1 --tls ping", unchanged: true},
		{client: tunnel.of(Postgres), typed: "mysql -e x", unchanged: true},
		{client: tunnel.of(MySQL), typed: "python3 -c x", unchanged: true},
	} {
		argv := strings.Fields(tt.typed)
		got, added := tt.client.Arguments(argv)
		want := tt.all
		if tt.unchanged {
			want = tt.typed
		}
		if strings.Join(got, " ") != want || (len(added) == 0) != tt.unchanged {
			t.Errorf("%s\ngot  %s (added %v)\nwant %s", tt.typed, strings.Join(got, " "), added, want)
		}
		if !slices.Equal(argv, strings.Fields(tt.typed)) {
			t.Errorf("%s: the arguments of the caller were changed", tt.typed)
		}
	}
}

func TestLineAndURL(t *testing.T) {
	web := tunnel.of(HTTPS)
	web.Port = 443
	for _, tt := range []struct {
		client    Client
		line, url string
	}{
		{
			tunnel.of(Postgres).with("app", "orders", "secret"),
			`psql "host=orders.example.com hostaddr=127.0.0.1 port=15432 sslmode=verify-full dbname=orders user=app"`,
			"postgresql://app@orders.example.com:15432/orders?hostaddr=127.0.0.1&sslmode=verify-full",
		},
		{tunnel.of(Postgres).with("o'hara $x", "", ""), `psql 'host=orders.example.com hostaddr=127.0.0.1 port=15432 sslmode=verify-full user='\''o\'\''hara $x'\'''`, "postgresql://o%27hara%20$x@orders.example.com:15432/?hostaddr=127.0.0.1&sslmode=verify-full"},
		{tunnel.of(MySQL).with("app", "shop", ""), "mysql -h 127.0.0.1 -P 15432 -u app -p shop", "mysql://app@127.0.0.1:15432/shop"},
		{tunnel.of(Redis), "redis-cli -h 127.0.0.1 -p 15432", "redis://127.0.0.1:15432"},
		{tunnel.of(Redis).tls().with("app", "", ""), "redis-cli -h 127.0.0.1 -p 15432 --tls --sni orders.example.com --user app --askpass", "rediss://app@127.0.0.1:15432"},
		{web, "curl --connect-to orders.example.com:443:127.0.0.1:15432 https://orders.example.com/", "https://127.0.0.1:15432/"},
		{tunnel, "", ""},
	} {
		if got := tt.client.Line(); got != tt.line {
			t.Errorf("line\ngot  %s\nwant %s", got, tt.line)
		}
		if got := tt.client.URL(); got != tt.url {
			t.Errorf("url\ngot  %s\nwant %s", got, tt.url)
		}
		if strings.Contains(tt.client.Line()+tt.client.URL(), "secret") {
			t.Error("the token is in what is printed")
		}
	}
}

func TestFamilies(t *testing.T) {
	for engine, want := range map[string]Family{
		"aurora-postgresql": Postgres, "postgres": Postgres, "postgresql": Postgres, "redshift": Postgres, "aurora-mysql": MySQL, "mysql": MySQL,
		"mariadb": MySQL, "redis": Redis, "valkey": Redis, "memcached": Memcached, "opensearch": HTTPS, "neptune": HTTPS, "docdb": MongoDB, "sqlserver-ex": "",
	} {
		if got := FamilyOf(engine); got != want {
			t.Errorf("%s is %q, want %q", engine, got, want)
		}
	}
}
