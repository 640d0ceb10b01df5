package patchreport

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fleet"
	"github.com/ssmdeck/ssmdeck/internal/history"
	"github.com/ssmdeck/ssmdeck/internal/htmlpage"
	"github.com/ssmdeck/ssmdeck/internal/patch"
)

var (
	now  = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	keep = flag.String("keep", "", "write the example's page to this file, to look at it")
)

const nasty = `<script>alert(1)</script>"'|` + "\x1b[31m\n# x"

// fleetOf are n nodes of all kinds; every seventh has a nasty name.
func fleetOf(n int) []fleet.Node {
	var out []fleet.Node
	for i := range n {
		node := fleet.Node{
			ID: fmt.Sprintf("i-%017x", i+1), Name: fmt.Sprintf("web-%d", i+1), Platform: "linux", PlatformName: []string{"Ubuntu", "Amazon Linux"}[i%2], PlatformVersion: "24.04", Ping: "online",
		}
		if i%7 == 3 {
			node.Name = nasty
		}
		p := &fleet.PatchState{Baseline: "pb-0123456789abcdef0", Group: []string{"web", "db", "", "batch"}[i%4], Operation: "Scan", Ended: now.Add(-time.Duration(i*i) * time.Hour), Installed: 100}
		switch i % 6 {
		case 1:
			p.Missing, p.Critical, p.Security = 3+i%5, 1, 2
		case 2:
			p.PendingReboot, p.Other = 1, 1
		case 4:
			p = nil
		case 5:
			if i%4 == 1 {
				p.Failed, p.Critical = 2, 2
			}
		}
		node.Patch = p
		out = append(out, node)
	}
	return out
}

func place(region string, nodes []fleet.Node) Place {
	p := Place{Account: "123456789012", Region: region, Rows: patch.NewReport(nodes, now, patch.StaleAfter, nil).Nodes}
	for i := range 20 {
		at := now.Add(-time.Duration(20-i) * 36 * time.Hour)
		p.Looks = append(p.Looks, history.Look{Time: at, Account: p.Account, Region: region, Nodes: 40, Compliant: 12 + i + i%4})
	}
	return p
}

func example() *Report {
	return New("Patch compliance: "+nasty, "ssmdeck v1.2.3", "tag:env=prod", []Place{place("eu-west-1", fleetOf(40))}, now)
}

// parse reads a page as XML, and returns how often each element is on it and all
// its text.
func parse(t *testing.T, page []byte) (elements map[string]int, text string) {
	t.Helper()
	elements = map[string]int{}
	var b strings.Builder
	d := xml.NewDecoder(bytes.NewReader(page))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return elements, b.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			elements[token.Name.Local]++
			for _, a := range token.Attr {
				if n := a.Name.Local; n == "src" || n == "href" || strings.HasPrefix(n, "on") {
					t.Errorf("<%s> has %s=%q", token.Name.Local, n, a.Value)
				}
			}
		case xml.CharData:
			b.Write(token)
		}
	}
}

func TestThePageIsWholeAndHarmless(t *testing.T) {
	var b bytes.Buffer
	r := example()
	if err := r.HTML(&b); err != nil {
		t.Fatal(err)
	}
	if *keep != "" {
		if err := os.WriteFile(*keep, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	elements, text := parse(t, b.Bytes())
	for _, bad := range []string{"script", "img", "link", "iframe", "a", "form", "object"} {
		if elements[bad] > 0 {
			t.Errorf("there is a <%s> on the page", bad)
		}
	}
	if bytes.Contains(b.Bytes(), []byte("://")) || bytes.ContainsAny(b.Bytes(), "\x1b") {
		t.Error("there is a link or an escape on the page")
	}
	if elements["svg"] < 5 || elements["circle"] != 20 {
		t.Errorf("there are %d charts, with %d dots of the trend", elements["svg"], elements["circle"])
	}
	for _, n := range r.Nodes {
		if strings.Count(text, n.ID) != 1 {
			t.Errorf("%s is on the page %d times", n.ID, strings.Count(text, n.ID))
		}
	}
	for _, want := range []string{
		`<script>alert(1)</script>"'|\x1b[31m\n# x`, "2026-03-10 12:00 UTC", "123456789012", "eu-west-1", "tag:env=prod", "ssmdeck v1.2.3", overwrites, "stale",
		fmt.Sprintf("Non-compliant: %d nodes", r.Total.NonCompliant), fmt.Sprintf("Never scanned: %d nodes", r.Total.NeverScanned), "no group",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(text, "incomplete") {
		t.Error("a report of all that there is says that it is incomplete")
	}
}

func TestWhatCouldNotBeReadIsSaidLoudly(t *testing.T) {
	nodes := fleetOf(10)
	nodes[0].Unknown, nodes[0].Patch = []string{"patch"}, nil
	r := New("x", "ssmdeck", "everything", []Place{
		place("eu-west-1", nodes),
		{Account: "210987654321", Region: "us-east-1", Failure: "not authorized to perform: ssm:DescribeInstancePatchStates"},
	}, now)
	if !r.Partial {
		t.Error("the report is not partial")
	}
	var page, text bytes.Buffer
	if err := errors.Join(r.HTML(&page), r.Markdown(&text)); err != nil {
		t.Fatal(err)
	}
	elements, said := parse(t, page.Bytes())
	for _, want := range []string{"210987654321/us-east-1: not authorized", "the patch state of 1 node could not be read", "This report is incomplete"} {
		if !strings.Contains(said, want) || !strings.Contains(text.String(), strings.ReplaceAll(want, "[", `\[`)) {
			t.Errorf("%q is not said", want)
		}
	}
	if elements["section"] == 0 || strings.Index(said, "incomplete") > strings.Index(said, "non-compliant") {
		t.Error("it is not said before the numbers")
	}
}

func TestNumbersOfSeveralPlacesAddUp(t *testing.T) {
	a, b := place("eu-west-1", fleetOf(40)), place("us-east-1", fleetOf(25))
	r := New("x", "ssmdeck", "everything", []Place{a, b}, now)
	if r.Total.Nodes != 65 || r.Places[0].Total.Nodes != 40 || r.Places[1].Total.Nodes != 25 || len(r.Nodes) != 65 {
		t.Fatalf("total %+v", r.Total)
	}
	for name, slices := range map[string][]patch.Slice{"groups": r.Groups, "platforms": r.Platforms, "ages": r.Ages, "baselines": r.Baselines} {
		var sum patch.Counts
		for _, s := range slices {
			sum.Merge(s.Counts)
		}
		if sum != r.Total {
			t.Errorf("%s add up to %+v, want %+v", name, sum, r.Total)
		}
	}
	if r.Nodes[0].Critical < r.Nodes[1].Critical {
		t.Error("the worst node is not the first")
	}
	var page bytes.Buffer
	if err := r.HTML(&page); err != nil {
		t.Fatal(err)
	}
	if elements, _ := parse(t, page.Bytes()); elements["path"] != 2 {
		t.Errorf("%d lines of trends", elements["path"])
	}
}

func TestMarkdownIsTextWhateverNodesAreCalled(t *testing.T) {
	var b bytes.Buffer
	r := example()
	if err := r.Markdown(&b); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "<script") || strings.Contains(b.String(), "\n# x") || strings.Contains(b.String(), "\x1b") {
		t.Errorf("names became markup: %s", b.String())
	}
	columns := 0
	for line := range strings.Lines(b.String()) {
		if !strings.HasPrefix(line, "|") {
			columns = 0
			continue
		}
		n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
		if columns != 0 && n != columns {
			t.Errorf("a row of %d columns in a table of %d: %s", n, columns, line)
		}
		columns = n
	}
}

func TestAnEmptyReport(t *testing.T) {
	r := New("x", "ssmdeck", "tag:env=none", []Place{{Account: "123456789012", Region: "eu-west-1"}}, now)
	var page, text bytes.Buffer
	if err := errors.Join(r.HTML(&page), r.Markdown(&text)); err != nil {
		t.Fatal(err)
	}
	if _, said := parse(t, page.Bytes()); !strings.Contains(said, "There is no node.") || !strings.Contains(said, "No node was ever scanned.") {
		t.Errorf("it says %s", said)
	}
}

func TestTenThousandNodesAreAPageThatABrowserOpens(t *testing.T) {
	if testing.Short() {
		t.Skip("a long page")
	}
	var page bytes.Buffer
	r := New("x", "ssmdeck", "everything", []Place{place("eu-west-1", fleetOf(10_000))}, now)
	if err := r.HTML(&page); err != nil {
		t.Fatal(err)
	}
	if page.Len() > 8<<20 {
		t.Errorf("the page has %d bytes", page.Len())
	}
}

func TestBarsShowTheFew(t *testing.T) {
	var b bytes.Buffer
	svg := barChart("x", []bar{{name: "x", pieces: []piece{{9999, "good", "compliant"}, {1, "bad", "non-compliant"}}}})
	var widths []string
	if err := (htmlpage.Page{Body: []htmlpage.Part{svg}}).Write(&b); err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(&b)
	for {
		token, err := d.Token()
		if err != nil {
			break
		}
		if s, ok := token.(xml.StartElement); ok && s.Name.Local == "rect" {
			for _, a := range s.Attr {
				if a.Name.Local == "width" {
					widths = append(widths, a.Value)
				}
			}
		}
	}
	if len(widths) != 2 || widths[1] != "1.5" {
		t.Errorf("widths %v", widths)
	}
}
