package plugin

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func TestIsPlugin(t *testing.T) {
	for argv0, want := range map[string]bool{
		"session-manager-plugin": true, "/usr/local/bin/session-manager-plugin": true, "./Session-Manager-Plugin.EXE": true,
		"ssmdeck": false, "session-manager-plugin.sh": false, "": false,
	} {
		if got := Is(argv0); got != want {
			t.Errorf("%q: %t", argv0, got)
		}
	}
}

func TestParsePluginCall(t *testing.T) {
	const (
		answer  = `{"SessionId":"me-1","TokenValue":"secret","StreamUrl":"wss://x/y"}`
		ecs     = `{"sessionId":"me-1","streamUrl":"wss://x/y","tokenValue":"secret"}`
		request = `{"Target":"i-1","DocumentName":"Mine","Parameters":{"a":["b","c"]},"Reason":"r"}`
	)
	variables := map[string]string{"AWS_SSM_START_SESSION_RESPONSE": answer, "AWS_SSM_START_SESSION_RESPONSE_7": ecs}
	tests := []struct {
		name string
		args []string
		want string // region, profile, target, document, parameters, endpoint, old
		bad  string
	}{
		{"all", []string{answer, "eu-west-1", "StartSession", "prod", request, "https://ssm.x"}, `["eu-west-1","prod","i-1","Mine",{"a":["b","c"]},"https://ssm.x",false]`, ""},
		{"a variable", []string{"AWS_SSM_START_SESSION_RESPONSE", "eu-west-1", "StartSession", "", request, ""}, `["eu-west-1","","i-1","Mine",{"a":["b","c"]},"",false]`, ""},
		{"a variable with a longer name, and ECS", []string{"AWS_SSM_START_SESSION_RESPONSE_7", "r", "StartSession", "", `{"Target":"ecs:a_b_c"}`, "https://ecs.r.amazonaws.com"}, `["r","","ecs:a_b_c","",null,"",false]`, ""},
		{"ECS on a simulator", []string{ecs, "r", "StartSession", "", `{"Target":"ecs:a_b_c"}`, "http://127.0.0.1:4599"}, `["r","","ecs:a_b_c","",null,"http://127.0.0.1:4599",false]`, ""},
		{"the old form", []string{answer, "r", "StartSession"}, `["r","","","",null,"",true]`, ""},
		{"the old form with a profile", []string{answer, "r", "StartSession", "p"}, `["r","p","","",null,"",true]`, ""},
		{"too few", []string{answer, "r"}, "", "2 arguments"},
		{"too many", []string{answer, "r", "StartSession", "", request, "", "x"}, "", "7 arguments"},
		{"another operation", []string{answer, "r", "ResumeSession"}, "", "ResumeSession"},
		{"a variable that is not set", []string{"AWS_SSM_START_SESSION_RESPONSE_8", "r", "StartSession"}, "", "is not set"},
		{"no JSON", []string{`{"TokenValue":"secret`, "r", "StartSession"}, "", "no answer of StartSession"},
		{"no token", []string{`{"SessionId":"x","StreamUrl":"secret"}`, "r", "StartSession"}, "", "no answer of StartSession"},
		{"a request that is none", []string{answer, "r", "StartSession", "", `[]`}, "", "the request"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			unset := ""
			c, err := parsePluginCall(tt.args,
				func(name string) (string, bool) { v, ok := variables[name]; return v, ok },
				func(name string) error { unset = name; return nil })
			if tt.bad != "" {
				if fault.KindOf(err) != fault.Usage || !strings.Contains(err.Error(), tt.bad) || strings.Contains(err.Error(), "secret") {
					t.Fatalf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal([]any{c.region, c.profile, c.request.Target, c.request.Document, c.request.Parameters, c.endpoint, c.old})
			if err != nil || string(got) != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if c.ticket.SessionID != "me-1" || c.ticket.Token != "secret" || c.ticket.StreamURL != "wss://x/y" {
				t.Error("the ticket was not read whole")
			}
			if strings.HasPrefix(tt.args[0], "AWS_") && unset != tt.args[0] {
				t.Errorf("unset %q", unset)
			}
		})
	}
}

func TestPluginPort(t *testing.T) {
	for props, want := range map[string]string{
		`{"portNumber":"80","localPortNumber":"8080"}`:                                        "8080  80",
		`{"portNumber":"80","localPortNumber":"0"}`:                                           "0  80",
		`{"portNumber":"80"}`:                                                                 "0  80",
		`{"portNumber":"80","localConnectionType":"unix","localUnixSocket":"/tmp/s"}`:         "0 /tmp/s 80",
		`{"portNumber":"80","localConnectionType":"unix"}`:                                    "error",
		`{"portNumber":"80","localPortNumber":"99999"}`:                                       "error",
		`{"portNumber":"80","localPortNumber":"9","localConnectionType":"tcp","unknown":"x"}`: "9  80",
	} {
		var p pluginPort
		if err := json.Unmarshal([]byte(props), &p); err != nil {
			t.Fatal(err)
		}
		spec, err := p.spec()
		got := strings.Join([]string{strconv.Itoa(spec.Local), spec.Socket, strconv.Itoa(spec.Port)}, " ")
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", props, got, want)
		}
	}
}
