package dash_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ssmdeck/ssmdeck/commands/dash"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
	"github.com/ssmdeck/ssmdeck/tui/sources"
	"github.com/ssmdeck/ssmdeck/tui/tuitest"
)

// largeFleet is an account of n nodes.
func largeFleet(t testing.TB, n int) *world.Scenario {
	t.Helper()
	s, err := world.ParseScenario("large", fmt.Appendf(nil, `region: eu-west-1
fleet: {count: %d, names: [web, worker, db, cache, build], lost: %d, outdated: %d, windows: %d, unscanned: %d}
`, n, n/100, n/10, n/20, n/50))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// changeNode is one node read anew, in the middle of 10,000.
type changeNode struct{ i int }

// typed asks for a key to be pressed and when its frame was there.
type typed struct {
	key  tea.KeyPressMsg
	at   time.Time
	seen chan took
}

// measured asks for what messages that are no keys have cost since it was asked last.
type measured chan []time.Duration

// took is how long a key was on its way to its frame, and for how much of that the
// model used a core: on a machine with other work those are far apart.
type took struct{ wall, cpu time.Duration }

// bench measures the model: from the moment a key is sent, while updates come, to
// the frame that shows it. All of it belongs to the loop of the program.
type bench struct {
	watched
	waiting *typed
	locked  bool
	began   time.Duration   // CPU time when the last message came
	other   []time.Duration // what messages that are no keys cost, with their frames
}

func (b *bench) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if !b.locked { // the CPU time is that of the thread
		runtime.LockOSThread()
		b.locked = true
	}
	b.began = cpuTime()
	switch m := msg.(type) {
	case changeNode:
		set := dash.Feeds()
		at := set.Nodes.Places()[0]
		now, _ := set.Nodes.At(at) // changed in place: there is no other reader in this loop
		n := &now[m.i%len(now)]
		n.LastPing = time.Now()
		n.AgentVersion = fmt.Sprintf("3.3.%d.0", 1000+m.i%3000)
		set.Nodes.Set(at, now, time.Now())
		return b, b.Model.Heard(sources.Nodes)
	case measured:
		m <- b.other
		b.other = nil
		return b, nil
	case typed:
		b.waiting = &m
		_, cmd := b.Model.Update(m.key)
		return b, cmd
	}
	_, cmd := b.Model.Update(msg)
	return b, cmd
}

func (b *bench) View() tea.View {
	v := b.watched.View()
	used := cpuTime() - b.began
	if w := b.waiting; w != nil {
		b.waiting = nil
		w.seen <- took{time.Since(w.at), used}
	} else if b.locked {
		b.other = append(b.other, used)
	}
	return v
}

// BenchmarkKeyToFrame types filters over 10,000 nodes, and moves, while 100 nodes a
// second change. It reports how long a key takes to be on the frame, how much CPU time
// the model uses for it and for messages that are no keys (the worst of those is what a
// delivery of changes costs), and the memory, the simulator's included.
func BenchmarkKeyToFrame(b *testing.B) {
	f := startFlow(b, flowOptions{scenario: largeFleet(b, 10_000), dash: dash.Options{View: "fleet", Calls: 1200}, bench: true})
	f.waitFor("10,000")
	before := make(measured, 1) // of loading
	f.prog.Send(before)
	<-before
	stop := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		every := time.NewTicker(10 * time.Millisecond)
		defer every.Stop()
		for i := 0; ; i += 7919 {
			select {
			case <-every.C:
				f.prog.Send(changeNode{i})
			case <-stop:
				return
			}
		}
	}()
	keys := []string{"/", "w", "e", "b", "-", "0", "1", "backspace", "backspace", "space", "p", "i", "n", "g", "=", "o", "n", "l", "i", "n", "e", "enter", "j", "down", "pgdown", "G", "g", "esc"}
	var wall, cpu []time.Duration
	i := 0
	for b.Loop() {
		t := typed{key: tuitest.Key(keys[i%len(keys)]), at: time.Now(), seen: make(chan took, 1)}
		f.prog.Send(t)
		d := <-t.seen
		wall, cpu = append(wall, d.wall), append(cpu, d.cpu)
		time.Sleep(15 * time.Millisecond) // nobody types faster
		i++
	}
	close(stop)
	<-ended
	others := make(measured, 1)
	f.prog.Send(others)
	other := <-others
	report := func(name string, of []time.Duration) {
		slices.Sort(of)
		at := func(p float64) float64 {
			return float64(of[min(int(p*float64(len(of))), len(of)-1)].Microseconds()) / 1000
		}
		b.ReportMetric(at(0.5), "ms-"+name+"-p50")
		b.ReportMetric(at(0.99), "ms-"+name+"-p99")
		b.ReportMetric(at(1), "ms-"+name+"-max")
	}
	report("key", wall)
	report("keyCPU", cpu)
	report("otherCPU", other)
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "MiB-live")
	b.ReportMetric(float64(m.Sys)/(1<<20), "MiB-sys")
}
