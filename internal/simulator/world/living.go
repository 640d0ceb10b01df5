package world

import (
	_ "embed" // living.yaml
)

//go:embed living.yaml
var living []byte

// LivingDemo returns the built-in scenario with a larger fleet, that lives.
func LivingDemo() *Scenario {
	sc := Demo()
	more, err := ParseScenario("living demo", living)
	if err != nil {
		panic(err) // held by a test
	}
	sc.Nodes = append(sc.Nodes, more.Nodes...)
	sc.VPCs = append(sc.VPCs, more.VPCs...)
	sc.Baselines = append(sc.Baselines, more.Baselines...)
	sc.Parameters = append(sc.Parameters, more.Parameters...)
	sc.RunCommand, sc.Alive = more.RunCommand, more.Alive
	return sc
}
