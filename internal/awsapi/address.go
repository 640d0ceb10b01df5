package awsapi

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// Addresses returns where Systems Manager is called, and where the message
// gateway, which websockets of sessions go to, most likely is: StartSession alone
// says for certain.
func (s *Scope) Addresses(ctx context.Context) (api, gateway string, err error) {
	o := s.ssm().Options()
	if o.BaseEndpoint != nil {
		api = *o.BaseEndpoint
	} else {
		// Neither FIPS nor dual stack: their hosts answer like these.
		e, err := ssm.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, ssm.EndpointParameters{Region: aws.String(o.Region)}.WithDefaults())
		if err != nil {
			return "", "", Explain("find the address of Systems Manager", err)
		}
		api = e.URI.String()
	}
	u, err := url.Parse(api)
	if err != nil {
		return "", "", Explain("find the address of Systems Manager", err)
	}
	u.Path = "/v1/data-channel/ssmdeck"
	if ip := net.ParseIP(u.Hostname()); u.Hostname() == "localhost" || ip != nil && ip.IsLoopback() {
		return api, u.String(), nil
	}
	u.Host = "ssmmessages." + o.Region + ".amazonaws.com"
	if strings.HasPrefix(o.Region, "cn-") {
		u.Host += ".cn"
	}
	return api, u.String(), nil
}

// Proxy returns the proxy for an address, without a password; "" for none.
func (s *Scope) Proxy(address string) string {
	r, err := http.NewRequest(http.MethodGet, address, http.NoBody) //nolint:noctx // never sent
	if err != nil {
		return ""
	}
	t := http1Transport(s.cfg)
	if t.Proxy == nil {
		return ""
	}
	u, err := t.Proxy(r)
	if err != nil || u == nil {
		return ""
	}
	return u.Redacted()
}
