package awsapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

// wsaConnRefused is Windows' own number of ECONNREFUSED; no other system uses it.
const wsaConnRefused = syscall.Errno(10061)

// byNetwork explains that the service could not be reached or understood.
func byNetwork(e *fault.Error, err error, _ origin) bool {
	host := hostOf(err)
	var dns *net.DNSError
	var op *net.OpError
	var errno syscall.Errno
	switch {
	case isProxy(err):
		e.Err = said("the proxy does not let the call through: "+oneLine(lastColon(err.Error())), err)
		e.Hint = "check HTTPS_PROXY and NO_PROXY"
	case explainTLS(e, err, host):
	case errors.As(err, &dns):
		e.Err = said(fmt.Sprintf("no address for %s", dns.Name), err)
		e.Hint = "check the network, --region and --endpoint-url"
	case errors.As(err, &errno) && (errno == syscall.ECONNREFUSED || errno == wsaConnRefused):
		e.Err = said(fmt.Sprintf("%s refuses the connection", host), err)
		e.Hint = "check --endpoint-url and AWS_ENDPOINT_URL; start the simulator if it is meant"
	case isTimeout(err):
		e.Err = said(fmt.Sprintf("no answer from %s in time", host), err)
		e.Hint = "check the network and HTTPS_PROXY, or the VPC endpoint if there is one"
	case errors.As(err, &op):
		e.Err = said(fmt.Sprintf("the connection to %s failed: %v", host, op.Err), err)
		e.Hint = "check the network, then try again"
	default:
		return byAnswer(e, err, host)
	}
	return true
}

// byAnswer explains an answer that is not AWS's, and a connection that ended
// without one.
func byAnswer(e *fault.Error, err error, host string) bool {
	status := answerStatus(err)
	switch {
	case status == 0:
	case errors.Is(err, io.ErrUnexpectedEOF):
		e.Err = said(fmt.Sprintf("the answer of %s broke off", host), err)
		e.Hint = "check the network, then try again"
		return true
	default:
		e.Err = said(fmt.Sprintf("%s gave an answer that is not AWS's (HTTP %d)", host, status), err)
		e.Hint = "check --endpoint-url and HTTPS_PROXY"
		return true
	}
	var send *smithyhttp.RequestSendError
	if errors.As(err, &send) {
		e.Err = said(fmt.Sprintf("the connection to %s broke: %s", host, oneLine(lastColon(send.Err.Error()))), err)
		e.Hint = "check the network, then try again"
		return true
	}
	return false
}

func explainTLS(e *fault.Error, err error, host string) bool {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verify *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &name):
		e.Err = said(fmt.Sprintf("the certificate of %s is for another host", host), err)
		e.Hint = "check --endpoint-url, and the private DNS of the VPC endpoint if there is one"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		e.Err = said(fmt.Sprintf("the certificate of %s has expired or is not yet valid", host), err)
		e.Hint = "check the clock of this machine"
	case errors.As(err, &unknown), errors.As(err, &verify), errors.As(err, &invalid):
		e.Err = said(fmt.Sprintf("the certificate of %s is signed by an unknown authority", host), err)
		e.Hint = "name the CA's PEM file in AWS_CA_BUNDLE (a proxy that inspects TLS has its own)"
	case errors.As(err, &record):
		e.Err = said(fmt.Sprintf("%s does not speak TLS", host), err)
		e.Hint = "write http:// in --endpoint-url if that is meant"
	default:
		return false
	}
	return true
}

// isProxy reports whether the proxy could not be reached or refused the
// tunnel. For a refusal net/http returns no type, only the words of the
// proxy's status; no other failure to send consists of such words.
func isProxy(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "proxyconnect" {
		return true
	}
	var u *url.Error
	if !errors.As(err, &u) {
		return false
	}
	for status := http.StatusBadRequest; status < 600; status++ {
		if text := http.StatusText(status); text != "" && u.Err.Error() == text {
			return true
		}
	}
	return false
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || (errors.As(err, &timeout) && timeout.Timeout())
}

// hostOf finds the host a call went to, for the sentence.
func hostOf(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		if parsed, perr := url.Parse(u.URL); perr == nil && parsed.Host != "" {
			return parsed.Host
		}
	}
	var resp *smithyhttp.ResponseError
	if errors.As(err, &resp) && resp.Response != nil && resp.Response.Response != nil &&
		resp.Response.Request != nil && resp.Response.Request.URL != nil {
		return resp.Response.Request.URL.Host
	}
	return "the service"
}

// lastColon is the last part of "a: b: c".
func lastColon(s string) string {
	if i := strings.LastIndex(s, ": "); i >= 0 {
		return s[i+2:]
	}
	return s
}
