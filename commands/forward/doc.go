// Package forward is the command forward: ports and databases behind nodes, by themselves,
// behind a client, or saved and many at once.
package forward
