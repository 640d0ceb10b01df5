// Package session is the noun session: sessions listed and ended, their logs and recordings,
// and Session Manager's preferences.
package session
