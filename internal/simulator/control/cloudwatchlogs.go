package control

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// Limits of one answer of GetLogEvents.
const (
	logPageEvents = 10_000
	logPageBytes  = 1 << 20
	logEventExtra = 26 // bytes that an event counts beside its message
)

type getLogEventsIn struct {
	LogGroupName       string `json:"logGroupName" api:"len=1..512" pattern:"^[\\.\\-_/#A-Za-z0-9]+$"`
	LogGroupIdentifier string `json:"logGroupIdentifier" api:"len=1..2048"`
	LogStreamName      string `json:"logStreamName" api:"required,len=1..512" pattern:"^[^:*]*$"`
	StartTime          *int64 `json:"startTime"`
	EndTime            *int64 `json:"endTime"`
	NextToken          string `json:"nextToken"`
	Limit              *int   `json:"limit" api:"range=1..10000"`
	StartFromHead      bool   `json:"startFromHead"`
}

type outputLogEvent struct {
	Timestamp     int64  `json:"timestamp"` // Unix milliseconds
	Message       string `json:"message"`
	IngestionTime int64  `json:"ingestionTime"`
}

type getLogEventsOut struct {
	Events   []outputLogEvent `json:"events"`
	Forward  string           `json:"nextForwardToken"`
	Backward string           `json:"nextBackwardToken"`
}

// getLogEvents returns a page. Tokens are f/ or b/ and the place in the stream;
// at an end of the stream a page is empty and its token is the one given.
func (c *call) getLogEvents(in *getLogEventsIn) (any, error) {
	group, err := groupName(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	s, err := c.world.LogEvents(group, in.LogStreamName)
	if err != nil {
		return nil, err
	}
	events := between(s.Events, in.StartTime, in.EndTime)
	limit := logPageEvents
	if in.Limit != nil {
		limit = *in.Limit
	}
	from, to := 0, 0
	switch way, place, ok := logToken(in.NextToken); {
	case in.NextToken != "" && (!ok || place > len(events)):
		return nil, world.Errorf("InvalidParameterException", "The specified nextToken is invalid.")
	case way == "f", in.NextToken == "" && in.StartFromHead:
		from = place
		to = from + fitting(len(events)-from, limit, func(i int) string { return events[from+i].Message })
	default:
		to = len(events)
		if in.NextToken != "" {
			to = place
		}
		from = to - fitting(to, limit, func(i int) string { return events[to-1-i].Message })
	}
	out := getLogEventsOut{
		Events: []outputLogEvent{}, Forward: fmt.Sprintf("f/%056d/s", to), Backward: fmt.Sprintf("b/%056d/s", from),
	}
	for _, e := range events[from:to] {
		ms := e.Time.UnixMilli()
		out.Events = append(out.Events, outputLogEvent{ms, e.Message, ms})
	}
	return out, nil
}

// groupName is the group a request names, by name or ARN.
func groupName(name, identifier string) (string, error) {
	switch {
	case name != "" && identifier != "", name == "" && identifier == "":
		return "", world.Errorf("InvalidParameterException", "Exactly one of logGroupName and logGroupIdentifier must be given.")
	case name != "":
		return name, nil
	}
	if _, rest, ok := strings.Cut(identifier, ":log-group:"); ok {
		return strings.TrimSuffix(rest, ":*"), nil
	}
	return identifier, nil
}

// between are the events from start up to end, in Unix milliseconds.
func between(events []world.LogEvent, start, end *int64) []world.LogEvent {
	var list []world.LogEvent
	for _, e := range events {
		ms := e.Time.UnixMilli()
		if (start == nil || ms >= *start) && (end == nil || ms < *end) {
			list = append(list, e)
		}
	}
	return list
}

// fitting is how many of n messages fit into one answer.
func fitting(n, limit int, message func(i int) string) int {
	size := 0
	for i := range min(n, limit) {
		size += len(message(i)) + logEventExtra
		if size > logPageBytes && i > 0 {
			return i
		}
	}
	return min(n, limit)
}

func logToken(token string) (way string, place int, ok bool) {
	parts := strings.Split(token, "/")
	if len(parts) != 3 || parts[0] != "f" && parts[0] != "b" {
		return "", 0, false
	}
	n, err := strconv.Atoi(parts[1])
	return parts[0], n, err == nil && n >= 0
}

type describeLogStreamsIn struct {
	LogGroupName        string `json:"logGroupName" api:"len=1..512" pattern:"^[\\.\\-_/#A-Za-z0-9]+$"`
	LogGroupIdentifier  string `json:"logGroupIdentifier" api:"len=1..2048"`
	LogStreamNamePrefix string `json:"logStreamNamePrefix" api:"len=1..512"`
	OrderBy             string `json:"orderBy" api:"enum=LogStreamName|LastEventTime"`
	Descending          bool   `json:"descending"`
	NextToken           string `json:"nextToken"`
	Limit               *int   `json:"limit" api:"range=1..50"`
}

type logStreamItem struct {
	Name          string `json:"logStreamName"`
	Creation      int64  `json:"creationTime"`
	First         int64  `json:"firstEventTimestamp,omitempty"`
	Last          int64  `json:"lastEventTimestamp,omitempty"`
	LastIngestion int64  `json:"lastIngestionTime,omitempty"`
	ARN           string `json:"arn"`
	StoredBytes   int    `json:"storedBytes"` // always 0, as the service has it since 2019
}

// describeLogStreams lists streams by name; the other order is not simulated.
func (c *call) describeLogStreams(in *describeLogStreamsIn) (any, error) {
	group, err := groupName(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	streams, err := c.world.LogStreams(group, in.LogStreamNamePrefix)
	if err != nil {
		return nil, err
	}
	streams, token, err := page(c, "DescribeLogStreams", streams, func(s world.LogStream) string { return s.Name }, in.NextToken, in.Limit, 50)
	if err != nil {
		return nil, err
	}
	out := struct {
		Streams   []logStreamItem `json:"logStreams"`
		NextToken string          `json:"nextToken,omitempty"`
	}{[]logStreamItem{}, token}
	for _, s := range streams {
		item := logStreamItem{Name: s.Name, Creation: s.Created.UnixMilli(), ARN: c.world.ARN("logs", "log-group:"+group+":log-stream:"+s.Name)}
		if n := len(s.Events); n > 0 {
			item.First, item.Last = s.Events[0].Time.UnixMilli(), s.Events[n-1].Time.UnixMilli()
			item.LastIngestion = item.Last
		}
		out.Streams = append(out.Streams, item)
	}
	return out, nil
}

type describeLogGroupsIn struct {
	Prefix    string `json:"logGroupNamePrefix" api:"len=1..512" pattern:"^[\\.\\-_/#A-Za-z0-9]+$"`
	NextToken string `json:"nextToken"`
	Limit     *int   `json:"limit" api:"range=1..50"`
}

type logGroupItem struct {
	Name     string `json:"logGroupName"`
	Creation int64  `json:"creationTime"`
	ARN      string `json:"arn"`
	KMSKeyID string `json:"kmsKeyId,omitempty"`
}

func (c *call) describeLogGroups(in *describeLogGroupsIn) (any, error) {
	groups, token, err := page(c, "DescribeLogGroups", c.world.LogGroups(in.Prefix), func(g world.LogGroupSpec) string { return g.Name }, in.NextToken, in.Limit, 50)
	if err != nil {
		return nil, err
	}
	out := struct {
		Groups    []logGroupItem `json:"logGroups"`
		NextToken string         `json:"nextToken,omitempty"`
	}{[]logGroupItem{}, token}
	for _, g := range groups {
		item := logGroupItem{Name: g.Name, Creation: c.world.Now().Add(-24 * time.Hour).UnixMilli(), ARN: c.world.ARN("logs", "log-group:"+g.Name+":*")}
		if g.Encrypted {
			item.KMSKeyID = c.world.ARN("kms", "key/"+g.Name)
		}
		out.Groups = append(out.Groups, item)
	}
	return out, nil
}
