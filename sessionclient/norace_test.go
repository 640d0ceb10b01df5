//go:build !race

package sessionclient

const raceEnabled = false
