// Package gateway is the simulated message gateway: it copies messages between
// the two ends of every session and adds what the service adds.
//
// A session is a broker with a client's end and an agent's end. Clients come as
// websockets; agents are workers of this process (package agent) or real ones,
// which register a control channel here. Reliability is a matter of the two
// ends: what is sent to an end that is away is kept only up to a small bound and
// dropped beyond it. While an end is merely slow, the other is slowed down.
//
// Every trouble of a real network can be had on demand: see world.Faults for
// what a scenario asks for, and the methods of Gateway in trouble.go for tests.
package gateway
