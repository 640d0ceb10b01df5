package dash_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/ssmdeck/ssmdeck/internal/simulator"
)

// process is the dashboard as people run it: the program on a terminal of its own.
type process struct {
	b     *testing.B
	cmd   *exec.Cmd
	tty   *os.File
	began time.Time
	read  chan struct{} // closed when the terminal is

	mu    sync.Mutex
	shown bytes.Buffer
	total int
	news  chan struct{}
}

// startProcess runs ssmdeck on a terminal of 140x40.
func startProcess(b *testing.B, binary string, srv *simulator.Server, args ...string) *process {
	b.Helper()
	home := b.TempDir()
	p := &process{b: b, cmd: exec.CommandContext(b.Context(), binary, args...), read: make(chan struct{}), news: make(chan struct{}, 1)}
	p.cmd.Env = append(os.Environ(), "TERM=xterm-256color", "LANG=C.UTF-8", "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home,
		"XDG_STATE_HOME="+home, "AWS_CA_BUNDLE=")
	p.cmd.Env = append(p.cmd.Env, srv.Env()...)
	var err error
	p.began = time.Now()
	if p.tty, err = pty.StartWithSize(p.cmd, &pty.Winsize{Rows: 40, Cols: 140}); err != nil {
		b.Fatal(err)
	}
	go p.collect()
	return p
}

func (p *process) collect() {
	defer close(p.read)
	buf := make([]byte, 1<<16)
	for {
		n, err := p.tty.Read(buf)
		if err != nil {
			return
		}
		p.mu.Lock()
		p.shown.Write(buf[:n])
		p.total += n
		p.mu.Unlock()
		select {
		case p.news <- struct{}{}:
		default:
		}
	}
}

// see waits until a text has been written, and forgets what came before.
func (p *process) see(text string) {
	p.b.Helper()
	timeout := time.After(time.Minute)
	for {
		p.mu.Lock()
		at := bytes.Index(p.shown.Bytes(), []byte(text))
		if at >= 0 {
			p.shown.Next(at + len(text))
		}
		p.mu.Unlock()
		if at >= 0 {
			return
		}
		select {
		case <-p.news:
		case <-timeout:
			p.b.Fatalf("%q has not been shown", text)
		}
	}
}

// written is how many bytes the terminal has got.
func (p *process) written() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.total
}

func (p *process) press(keys string) {
	p.b.Helper()
	if _, err := p.tty.WriteString(keys); err != nil {
		p.b.Fatal(err)
	}
}

// end leaves the dashboard.
func (p *process) end() {
	_ = p.cmd.Process.Signal(os.Interrupt)
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	_ = p.tty.Close()
	<-p.read
}

// cpu is how much CPU time it has used, to 10 ms.
func (p *process) cpu() time.Duration {
	p.b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		p.b.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // from field 3 on
	var ticks int64
	for _, f := range fields[11:13] { // utime, stime
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			p.b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// resident are the memory it has now and the most it had, in MB.
func (p *process) resident() (now, most float64) {
	p.b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		kb, _ := strconv.ParseFloat(f[1], 64) // other lines are not asked for
		switch f[0] {
		case "VmRSS:":
			now = kb * 1024 / 1e6
		case "VmHWM:":
			most = kb * 1024 / 1e6
		}
	}
	return now, most
}

// built is the program as it is released, without what a debugger needs.
func built(b *testing.B) string {
	b.Helper()
	binary := filepath.Join(b.TempDir(), "ssmdeck")
	if out, err := exec.Command("go", "build", "-ldflags", "-s -w", "-o", binary, "../../cmd/ssmdeck").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}

// large is a simulator with n nodes, in this process.
func large(b *testing.B, n int) *simulator.Server {
	b.Helper()
	srv, err := simulator.Start(b.Context(), simulator.Options{Scenario: largeFleet(b, n)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = srv.Close() })
	return srv
}

// BenchmarkFirstFrame is from the start of the program to the first rows of nodes on
// the screen, and to the overview that has counted them.
func BenchmarkFirstFrame(b *testing.B) {
	binary, srv := built(b), large(b, 1000)
	for _, c := range []struct{ view, text string }{{"fleet", " online"}, {"overview", "1,000 nodes"}} {
		b.Run(c.view, func(b *testing.B) {
			var used time.Duration
			for b.Loop() {
				p := startProcess(b, binary, srv, "dash", c.view)
				p.see(c.text)
				used += p.cpu()
				b.StopTimer()
				p.end()
				b.StartTimer()
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms-shown")
			b.ReportMetric(float64(used.Milliseconds())/float64(b.N), "ms-CPU")
		})
	}
}

// BenchmarkDay is the dashboard over 10,000 nodes: the page Fleet, every other page, the
// page Fleet again with a key each ten seconds, and then nobody presses a key for 90 s. The
// bytes and the CPU time are those of that end. A minute is the most calls that any minute
// saw: of all, of the time once what the tour of the pages has asked for is read, and of the
// end.
func BenchmarkDay(b *testing.B) {
	binary, srv := built(b), large(b, 10_000)
	for b.Loop() {
		p, calls := startProcess(b, binary, srv, "dash", "fleet"), tallyCalls(b, srv)
		p.see(" online") // the count itself is written digit by digit
		for _, k := range "13456782" {
			time.Sleep(4 * time.Second)
			p.press(string(k))
		}
		time.Sleep(30 * time.Second) // what the tour has asked for
		tour := calls.now()
		for range 9 {
			time.Sleep(10 * time.Second)
			p.press("j")
		}
		rest := calls.now()
		used, written := p.cpu(), p.written()
		const idle = 90 * time.Second
		time.Sleep(idle)
		b.ReportMetric((p.cpu()-used).Seconds()/idle.Seconds()*100, "%CPU-idle")
		b.ReportMetric(float64(p.written()-written)/idle.Seconds(), "B/s-idle")
		b.ReportMetric(calls.minute(0), "calls/min-most")
		b.ReportMetric(calls.minute(tour), "calls/min-toured")
		b.ReportMetric(calls.minute(rest), "calls/min-idle")
		now, most := p.resident()
		b.ReportMetric(now, "MB-resident")
		b.ReportMetric(most, "MB-most")
		p.end()
	}
}

// BenchmarkCursor goes over 10,000 nodes for a minute, a row each 300 ms, so that the
// cursor rests on each for long enough to have it read.
func BenchmarkCursor(b *testing.B) {
	binary, srv := built(b), large(b, 10_000)
	for b.Loop() {
		p, calls := startProcess(b, binary, srv, "dash", "fleet"), tallyCalls(b, srv)
		p.see(" online")
		time.Sleep(10 * time.Second)
		before, began := srv.Stats().Calls, calls.now()
		for range 210 {
			time.Sleep(300 * time.Millisecond)
			p.press("j")
		}
		b.ReportMetric(calls.minute(began), "calls/min-most")
		for op, n := range srv.Stats().Calls {
			if n -= before[op]; n > 0 {
				b.Logf("%5d %s", n, op)
			}
		}
		p.end()
	}
}

// tally is how many calls a simulator had got, second by second.
type tally struct {
	mu    sync.Mutex
	total []int
}

func tallyCalls(b *testing.B, srv *simulator.Server) *tally {
	t := &tally{total: []int{callsOf(srv)}}
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		each := time.NewTicker(time.Second)
		defer each.Stop()
		for {
			select {
			case <-each.C:
				t.mu.Lock()
				t.total = append(t.total, callsOf(srv))
				t.mu.Unlock()
			case <-stop:
				return
			}
		}
	}()
	b.Cleanup(func() { close(stop); <-ended })
	return t
}

// now is the second that has been tallied last.
func (t *tally) now() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.total) - 1
}

// minute is the most calls of any minute from a second on.
func (t *tally) minute(from int) (most float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := from; i+60 < len(t.total); i++ {
		most = max(most, float64(t.total[i+60]-t.total[i]))
	}
	return most
}

func callsOf(srv *simulator.Server) (n int) {
	for _, c := range srv.Stats().Calls {
		n += c
	}
	return n
}
