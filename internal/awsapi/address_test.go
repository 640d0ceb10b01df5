package awsapi

import "testing"

func TestAddresses(t *testing.T) {
	for _, tt := range []struct{ region, endpoint, variable, api, gateway string }{
		{"eu-west-1", "", "", "https://ssm.eu-west-1.amazonaws.com", "https://ssmmessages.eu-west-1.amazonaws.com/v1/data-channel/ssmdeck"},
		{"cn-north-1", "", "", "https://ssm.cn-north-1.amazonaws.com.cn", "https://ssmmessages.cn-north-1.amazonaws.com.cn/v1/data-channel/ssmdeck"},
		{"eu-west-1", "https://vpce-1.ssm.eu-west-1.vpce.amazonaws.com", "", "https://vpce-1.ssm.eu-west-1.vpce.amazonaws.com", "https://ssmmessages.eu-west-1.amazonaws.com/v1/data-channel/ssmdeck"},
		{"eu-west-1", "http://127.0.0.1:4599", "", "http://127.0.0.1:4599", "http://127.0.0.1:4599/v1/data-channel/ssmdeck"},
		{"eu-west-1", "", "http://localhost:4599", "http://localhost:4599", "http://localhost:4599/v1/data-channel/ssmdeck"},
	} {
		isolate(t)
		keys(t)
		t.Setenv("AWS_ENDPOINT_URL", tt.variable)
		s, err := Open(t.Context(), Options{Region: tt.region, EndpointURL: tt.endpoint})
		if err != nil {
			t.Fatal(err)
		}
		api, gateway, err := s.Addresses(t.Context())
		if err != nil || api != tt.api || gateway != tt.gateway {
			t.Errorf("%+v: got %s, %s, %v", tt, api, gateway, err)
		}
	}
}

func TestProxyWithoutItsPassword(t *testing.T) {
	isolate(t)
	keys(t)
	s, err := Open(t.Context(), Options{Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Proxy("http://127.0.0.1:1"); got != "" {
		t.Errorf("a proxy for this machine: %s", got)
	}
}
