// Package docnames completes names, versions and parameters of documents, and keeps what
// completion may show without a call.
package docnames
