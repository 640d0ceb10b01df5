//go:build race

package sessionclient

// raceEnabled: the race detector makes bulk transfers ten times slower.
const raceEnabled = true
