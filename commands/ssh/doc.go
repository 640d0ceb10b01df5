// Package ssh is the commands ssh, ssh-proxy and ssh-config: OpenSSH through sessions.
package ssh
