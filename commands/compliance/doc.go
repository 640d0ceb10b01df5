// Package compliance is the noun compliance: what nodes comply with, and what others report.
package compliance
