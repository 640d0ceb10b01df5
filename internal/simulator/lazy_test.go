package simulator

import (
	"strconv"
	"sync"
	"testing"

	"github.com/ssmdeck/ssmdeck/internal/simulator/shell"
	"github.com/ssmdeck/ssmdeck/internal/simulator/virtual"
)

func TestMachinePoolKeepsTheLast(t *testing.T) {
	var p machinePool
	var mu sync.Mutex
	made := map[string]int{}
	get := func(key string) shell.Machine {
		return p.get(key, func() shell.Machine {
			mu.Lock()
			defer mu.Unlock()
			made[key]++
			return &virtual.Machine{}
		})
	}
	first := get("first")
	var group sync.WaitGroup
	for i := range mostPooled - 1 {
		group.Go(func() { get(strconv.Itoa(i)) })
	}
	group.Wait()
	if get("first") != first || made["first"] != 1 {
		t.Error("a machine in use was not kept")
	}
	for i := range mostPooled {
		get("other " + strconv.Itoa(i))
	}
	if get("first") == first || len(p.known) != mostPooled || len(p.order) != mostPooled {
		t.Errorf("%d machines are kept", len(p.known))
	}
}
