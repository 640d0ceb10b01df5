package world

import (
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// AliveSpec makes an account live by itself: agents are lost and come back, others
// are updated, colleagues send commands, open sessions and change parameters,
// automations run and wait for approval, a maintenance window opens. What happens is
// given by the seed and the clock alone; what it costs is a goroutine that sleeps.
type AliveSpec struct {
	Seed uint64 `yaml:"seed"` // another one, other events
}

// life is what goes on in a world by itself. The goroutine of the agenda does all of
// it, so that it needs no lock and ends with the world.
type life struct {
	*World
	seed   uint64
	opened map[string]time.Time // sessions, by id: when they end
	away   map[string]bool      // nodes that are lost for a while
	asked  map[string]time.Time // automations that wait for approval, since when they were seen
	round  map[string]int       // how often each habit has been followed
	sent   int                  // commands of colleagues
}

// habit is something that happens again and again, the first time soon, so that who
// looks sees it, then at intervals that differ.
type habit struct {
	name         string
	first, every time.Duration
	do           func(l *life, r *rand.Rand)
}

// habits are what goes on. Their order does not matter.
func habits() []habit {
	return []habit{
		{"commands", 3 * time.Second, 22 * time.Second, (*life).command},
		{"sessions", 2 * time.Second, 13 * time.Second, (*life).openSession},
		{"automations", 5 * time.Second, 75 * time.Second, (*life).automate},
		{"approvals", 20 * time.Second, 15 * time.Second, (*life).approve},
		{"lost agents", 8 * time.Second, 24 * time.Second, (*life).loseAgent},
		{"agent updates", 14 * time.Second, 40 * time.Second, (*life).updateAgents},
		{"parameters", 10 * time.Second, 28 * time.Second, (*life).changeParameter},
		{"patching", 20 * time.Second, 50 * time.Second, (*life).patchNodes},
	}
}

// Live makes the world live from now on, until it is closed. It is called once.
func (w *World) Live(s AliveSpec) error {
	l := &life{
		World: w, seed: s.Seed, opened: map[string]time.Time{}, away: map[string]bool{}, asked: map[string]time.Time{}, round: map[string]int{},
	}
	if err := l.prepare(); err != nil {
		return err
	}
	now := w.now()
	for _, h := range habits() {
		l.plan(h, now.Add(h.first), l.random(h.name))
	}
	return nil
}

// random is the chance of one habit: what the others do does not change it.
func (l *life) random(name string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return rand.New(rand.NewPCG(l.seed, h.Sum64())) //nolint:gosec // for play, and repeatable
}

// plan puts a habit on the agenda, and again each time that it was followed.
func (l *life) plan(h habit, at time.Time, r *rand.Rand) {
	l.agenda.plan("life: "+h.name, at, rankStart, func(at time.Time) {
		h.do(l, r)
		l.round[h.name]++
		next := h.every*7/10 + time.Duration(r.Int64N(int64(h.every*6/10)))
		l.plan(h, at.Add(next), r)
	})
}

// later has something done once.
func (l *life) later(name string, after time.Duration, do func()) {
	l.agenda.plan("life: "+name, l.now().Add(after), rankEnd, func(time.Time) { do() })
}

// between is a time from the first to the second.
func between(r *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(r.Int64N(int64(most-least)+1))
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// some are at most n of the nodes that fit, in the order of their ids.
func (l *life) some(r *rand.Rand, n int, fits func(*Node) bool) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(l.nodes)) {
		if node := l.nodes[id]; node.agent == nil && fits(node) {
			ids = append(ids, id)
		}
	}
	r.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	ids = ids[:min(n, len(ids))]
	slices.Sort(ids)
	return ids
}

// well reports whether the agent of a node is as it should be.
func well(n *Node) bool { return n.Ping == PingOnline && n.spec.LastPing == 0 && !n.spec.NoChannel }

// mostAway is how many nodes are lost for a while at the same time.
const mostAway = 4

// loseAgent loses the connection to a node, which comes back by itself.
func (l *life) loseAgent(r *rand.Rand) {
	if len(l.away) >= mostAway {
		return
	}
	ids := l.some(r, 1, func(n *Node) bool { return well(n) && n.spec.generated })
	if len(ids) == 0 {
		ids = l.some(r, 1, well)
	}
	for _, id := range ids {
		l.away[id] = true
		l.SetPing(id, PingLost)
		l.later("return of "+id, between(r, 20*time.Second, 70*time.Second), func() {
			delete(l.away, id)
			l.SetPing(id, PingOnline)
		})
	}
}

// updateAgents brings the newest agent to a few nodes.
func (l *life) updateAgents(r *rand.Rand) {
	latest := l.LatestAgent()
	ids := l.some(r, 3, func(n *Node) bool { return well(n) && n.spec.generated && CompareVersions(n.AgentVersion, latest) < 0 })
	if len(ids) > 0 {
		_, _ = l.SendCommand(CommandRequest{DocumentName: "AWS-UpdateSSMAgent", Comment: "agent update", InstanceIDs: ids})
	}
}
