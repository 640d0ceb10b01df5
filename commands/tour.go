package commands

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/commands/cli"
	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/theme"
	"github.com/ssmdeck/ssmdeck/portforward"
)

// tour shows the main job. Every step is a real command line, run through the
// same code as if it had been typed.
type tour struct {
	env    *cli.Env
	styles *theme.Styles
	out    io.Writer
}

func (t *tour) run(ctx context.Context) error {
	t.say("This is ssmdeck on a simulated fleet. No AWS account, no network, nothing to break.")
	steps := []func(context.Context) error{t.fleet, t.command, t.shell, t.forward}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	t.say("That was a fleet, a command on many nodes, a shell and a forward, all over the real protocol.")
	return nil
}

func (t *tour) say(text string) { fmt.Fprintf(t.out, "\n%s\n", t.styles.Title.Render(text)) }

// line prints a command line as it would be typed.
func (t *tour) line(words string) {
	fmt.Fprintf(t.out, "\n%s ssmdeck %s\n", t.styles.Dim.Render("$"), t.styles.Accent.Render(words))
}

// do runs one command line; a remote failure is a part of the show.
func (t *tour) do(ctx context.Context, shown string, words ...string) error {
	t.line(shown)
	err := command(ctx, t.env, words)
	var exit *fault.Exit
	if errors.As(err, &exit) && exit.Code == fault.RemoteFailed.ExitCode() {
		fmt.Fprintf(t.out, "%s\n", t.styles.Dim.Render(fmt.Sprintf("(exit code %d: a script would know)", exit.Code)))
		return nil
	}
	return err
}

func (t *tour) fleet(ctx context.Context) error {
	t.say("The fleet: who is there, and which agents answer.")
	return t.do(ctx, "ls", "ls")
}

func (t *tour) command(ctx context.Context) error {
	t.say("One command on every production node. Equal outputs are folded; what went wrong comes first.")
	return t.do(ctx, "run --tag env=prod --filter platform=linux -- systemctl is-system-running",
		"run", "--tag", "env=prod", "--filter", "platform=linux", "--yes", "-o", "table", "--", "systemctl", "is-system-running")
}

// shell types into a real session, a line at a time.
func (t *tour) shell(ctx context.Context) error {
	t.say("A shell on a node. It would survive the loss of the network.")
	t.line("shell web-1")
	typed := strings.NewReader("uname -sr\nsudo systemctl restart nginx\nsystemctl is-active nginx\nexit\n")
	one := *t.env
	one.In = typed
	return command(ctx, &one, []string{"shell", "web-1"})
}

// demoDatabase is the private host of the demo's scenario.
const demoDatabase = "my-db.cluster-xyz.us-east-1.rds.amazonaws.com:5432"

// forward opens a tunnel as a script would and sends bytes through it.
func (t *tour) forward(ctx context.Context) error {
	t.say("A forward to a database that only the nodes can reach.")
	t.line("forward web-1 0:" + demoDatabase)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	r, w := io.Pipe()
	one := *t.env
	one.Out = w
	ended := make(chan error, 1)
	go func() {
		err := command(ctx, &one, []string{"forward", "web-1", "0:" + demoDatabase, "-o", "jsonl"})
		_ = w.Close()
		ended <- err
	}()
	talkErr := t.talk(ctx, r)
	stop()
	_, _ = io.Copy(io.Discard, r)
	err := <-ended
	if talkErr != nil {
		return talkErr
	}
	var exit *fault.Exit
	if errors.As(err, &exit) && exit.Code == fault.Interrupted.ExitCode() {
		return nil // that was us
	}
	return err
}

// talk waits for the tunnel and has a word with the database.
func (t *tour) talk(ctx context.Context, events io.Reader) error {
	lines := bufio.NewScanner(events)
	for lines.Scan() {
		var e struct{ Type, Local, Remote string }
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return fault.New(fault.Failed, "read the forward's events", "%w", err)
		}
		if e.Type == string(portforward.Ready) {
			fmt.Fprintf(t.out, "%s %s %s\n", e.Local, t.styles.Glyphs.Arrow, e.Remote)
			return t.greet(ctx, e.Local)
		}
	}
	return fault.New(fault.Failed, "forward", "it ended before it was ready")
}

// greet asks, as a PostgreSQL client does first, whether the server speaks TLS.
func (t *tour) greet(ctx context.Context, address string) error {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return fault.New(fault.Failed, "connect to the forward", "%w", err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	sslRequest := []byte{0, 0, 0, 8, 4, 210, 22, 47}
	start := time.Now()
	if _, err := conn.Write(sslRequest); err != nil {
		return fault.New(fault.Failed, "send through the forward", "%w", err)
	}
	answer := make([]byte, 1)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return fault.New(fault.Failed, "read through the forward", "%w", err)
	}
	meaning := map[byte]string{'N': "no TLS here", 'S': "TLS, please"}[answer[0]]
	fmt.Fprintf(t.out, "sent a PostgreSQL hello of %d bytes, got %q back (%s) in %s\n",
		len(sslRequest), bytes.TrimSpace(answer), meaning, time.Since(start).Round(100*time.Microsecond))
	return nil
}
