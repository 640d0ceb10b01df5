// Package simulator is Systems Manager in one process: the control plane, the
// message gateway and a fleet of nodes with their agents, on one loopback
// listener.
//
// It speaks the real wire formats, so that any client works against it: ours,
// the AWS CLI, other SDKs, the official session plugin. It binds loopback only,
// makes random credentials for each start, verifies signatures and one-time
// session tokens, and by default runs what it is told in memory, never on the
// machine it runs on. It never uses the AWS SDK: it must be able to disagree
// with us.
package simulator
