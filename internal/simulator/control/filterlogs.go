package control

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

func filterLogsOperations() map[string]operation {
	return map[string]operation{"FilterLogEvents": op("logs", (*call).filterLogEvents)}
}

type filterLogEventsIn struct {
	LogGroupName        string   `json:"logGroupName" api:"len=1..512" pattern:"^[\\.\\-_/#A-Za-z0-9]+$"`
	LogGroupIdentifier  string   `json:"logGroupIdentifier" api:"len=1..2048"`
	LogStreamNames      []string `json:"logStreamNames" api:"items=1..100"`
	LogStreamNamePrefix string   `json:"logStreamNamePrefix" api:"len=1..512" pattern:"^[^:*]*$"`
	StartTime           *int64   `json:"startTime"`
	EndTime             *int64   `json:"endTime"`
	FilterPattern       string   `json:"filterPattern" api:"len=0..1024"`
	NextToken           string   `json:"nextToken"`
	Limit               *int     `json:"limit" api:"range=1..10000"`
	Interleaved         *bool    `json:"interleaved"`
}

type filteredLogEvent struct {
	Stream        string `json:"logStreamName"`
	Timestamp     int64  `json:"timestamp"` // Unix milliseconds
	Message       string `json:"message"`
	IngestionTime int64  `json:"ingestionTime"`
	EventID       string `json:"eventId"`

	number int
}

// filterLogEvents returns the events of several streams in the order of their
// times. Patterns are not simulated.
func (c *call) filterLogEvents(in *filterLogEventsIn) (any, error) {
	group, err := groupName(in.LogGroupName, in.LogGroupIdentifier)
	switch {
	case err != nil:
		return nil, err
	case in.FilterPattern != "":
		return nil, world.Errorf("InvalidParameterException", "The simulator has no filter patterns.")
	case len(in.LogStreamNames) > 0 && in.LogStreamNamePrefix != "":
		return nil, world.Errorf("InvalidParameterException", "LogStreamNames and LogStreamNamePrefix cannot be given together.")
	}
	streams, err := c.world.LogStreams(group, in.LogStreamNamePrefix)
	if err != nil {
		return nil, err
	}
	for _, name := range in.LogStreamNames {
		if !slices.ContainsFunc(streams, func(s world.LogStream) bool { return s.Name == name }) {
			return nil, world.Errorf("ResourceNotFoundException", "The specified log stream does not exist.")
		}
	}
	var events []filteredLogEvent
	for _, s := range streams {
		if len(in.LogStreamNames) > 0 && !slices.Contains(in.LogStreamNames, s.Name) {
			continue
		}
		for _, e := range between(s.Events, in.StartTime, in.EndTime) {
			ms := e.Time.UnixMilli()
			events = append(events, filteredLogEvent{s.Name, ms, e.Message, ms, fmt.Sprintf("%056d", e.Number), e.Number})
		}
	}
	slices.SortFunc(events, func(x, y filteredLogEvent) int {
		return cmp.Or(cmp.Compare(x.Timestamp, y.Timestamp), cmp.Compare(x.number, y.number))
	})
	return c.filterPage(events, in)
}

// filterPage cuts a page out of the events; its token names the last one.
func (c *call) filterPage(events []filteredLogEvent, in *filterLogEventsIn) (any, error) {
	const name = "FilterLogEvents"
	limit := logPageEvents
	if in.Limit != nil {
		limit = *in.Limit
	}
	start := 0
	if in.NextToken != "" {
		cur, ok := c.tokens.open(name, in.NextToken)
		if !ok {
			return nil, world.Errorf("InvalidParameterException", "The specified nextToken is invalid.")
		}
		start = slices.IndexFunc(events, func(e filteredLogEvent) bool { return e.EventID == cur.Last }) + 1
	}
	out := struct {
		Events    []filteredLogEvent `json:"events"`
		Searched  []struct{}         `json:"searchedLogStreams"` // always empty, as the service has it
		NextToken string             `json:"nextToken,omitempty"`
	}{Events: []filteredLogEvent{}, Searched: []struct{}{}}
	rest := events[start:]
	n := fitting(len(rest), limit, func(i int) string { return rest[i].Message })
	out.Events = append(out.Events, rest[:n]...)
	if n < len(rest) {
		out.NextToken = c.tokens.seal(cursor{Op: name, Last: rest[n-1].EventID, Next: start + n})
	}
	return out, nil
}
