// Package sessions opens, lists and ends Session Manager sessions. It joins the
// SSM API (start, resume, terminate) with the data channel of sessionclient:
// what Open returns survives lost connections, uses current credentials for
// every one of them, and is terminated at the service when it is closed.
//
// It never prints; what the user may want to see comes as events.
package sessions
