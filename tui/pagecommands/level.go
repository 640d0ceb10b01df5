package pagecommands

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/render"
	"github.com/ssmdeck/ssmdeck/internal/run"
)

// word is a state as people write it.
func word(s run.State) string { return s.Called("") }

// ending says how a node ended: "failed, exit 1".
func ending(s run.State, code int) string {
	if s != run.Success && code > 0 {
		return word(s) + ", exit " + strconv.Itoa(code)
	}
	return word(s)
}

// took is a length of time to the second: "2 min 10 s".
func took(d time.Duration) string {
	if d < time.Second {
		return "under 1 s"
	}
	return render.Duration(d.Truncate(time.Second))
}

// stops says when a run is stopped for its failures: "stop at 5 % errors".
func stops(maxErrors string) string {
	switch maxErrors {
	case "":
		return ""
	case "0", "0%":
		return "stop at the first error"
	}
	return "stop at " + limit(maxErrors) + " errors"
}

// limit says how many nodes of a run may go on or fail: "20 %", "50".
func limit(s string) string {
	if n, ok := strings.CutSuffix(s, "%"); ok {
		return n + " %"
	}
	return s
}

// aims says for whom a command is, in few words: "tag:env=prod", "i-0abc and 12
// more". It is foreign text.
func aims(c run.Command) string {
	var parts []string
	for _, t := range c.TargetedBy {
		key := t.Key
		if key == "InstanceIds" {
			parts = append(parts, firstOf(t.Values))
			continue
		}
		parts = append(parts, key+"="+strings.Join(t.Values, ","))
	}
	if len(c.InstanceIDs) > 0 {
		parts = append(parts, firstOf(c.InstanceIDs))
	}
	return strings.Join(parts, " ")
}

func firstOf(ids []string) string {
	switch len(ids) {
	case 0:
		return ""
	case 1:
		return ids[0]
	}
	return fmt.Sprintf("%s and %d more", ids[0], len(ids)-1)
}
