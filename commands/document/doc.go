// Package document is the noun document: SSM documents read, written, compared and shared.
package document
