package control

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// CloudWatch, public API model 2010-08-01, in its three protocols: RPC v2 with
// CBOR, which the SDKs speak now, JSON 1.0, and the query protocol of older ones.
const (
	cloudWatchTarget  = "GraniteServiceVersion20100801"
	cloudWatchSigning = "monitoring" // signing name; actions in policies are cloudwatch:…
	cloudWatchIAM     = "cloudwatch"
	cloudWatchVersion = "2010-08-01"
	rpcPath           = "/service/" + cloudWatchTarget + "/operation/"
)

// cloudWatchOperation answers with maps, lists, texts, numbers, booleans and times;
// nil is an operation without an answer.
type cloudWatchOperation func(c *call, t *world.Tables, in request) (map[string]any, error)

func cloudWatchOperations() map[string]cloudWatchOperation {
	return map[string]cloudWatchOperation{
		"PutMetricData":       (*call).putMetricData,
		"ListMetrics":         (*call).listMetrics,
		"GetMetricStatistics": (*call).getMetricStatistics,
		"GetMetricData":       (*call).getMetricData,
		"PutMetricAlarm":      (*call).putMetricAlarm,
		"DescribeAlarms":      (*call).describeAlarms,
		"DeleteAlarms":        (*call).deleteAlarms,
	}
}

// queryErrors are the shapes of errors whose codes in the query protocol are
// others.
var queryErrors = map[string]string{
	"InvalidParameterValue":       "InvalidParameterValueException",
	"MissingParameter":            "MissingRequiredParameterException",
	"InvalidParameterCombination": "InvalidParameterCombinationException",
	"LimitExceeded":               "LimitExceededFault",
}

// serveCloudWatch answers a request in RPC v2 or JSON 1.0, and reports whether it
// was one.
func (h *Handler) serveCloudWatch(w http.ResponseWriter, r *http.Request, body []byte) bool {
	action, cbor := strings.CutPrefix(r.URL.Path, rpcPath)
	if !cbor {
		var target string
		if target, action, _ = strings.Cut(r.Header.Get("X-Amz-Target"), "."); target != cloudWatchTarget {
			return false
		}
	}
	status := http.StatusOK
	out, err := h.cloudWatch(r, body, action, func(body []byte) (any, error) {
		if cbor {
			if len(body) == 0 {
				return map[string]any{}, nil
			}
			v, err := decodeCBOR(body)
			if _, ok := v.(map[string]any); err != nil || !ok {
				return nil, serialization("")
			}
			return v, nil
		}
		return decodeJSON(body)
	})
	if err != nil {
		e := asAPIError(err)
		code := e.Code
		if shape, ok := queryErrors[code]; ok {
			w.Header().Set("x-amzn-query-error", code+";Sender")
			code = shape
		}
		if status = e.Status; status == 0 {
			status = http.StatusBadRequest
		}
		w.Header().Set("x-amzn-ErrorType", code)
		out = map[string]any{"__type": "com.amazonaws.cloudwatch#" + code, "message": e.Message}
	}
	if out == nil {
		out = map[string]any{}
	}
	h.log.Debug("api", "target", cloudWatchIAM+"."+action, "err", err)
	if cbor {
		w.Header().Set("smithy-protocol", "rpc-v2-cbor")
		w.Header().Set("Content-Type", "application/cbor")
		w.WriteHeader(status)
		_, _ = w.Write(encodeCBOR(out))
		return true
	}
	writeJSON(w, status, jsonTimes(out))
	return true
}

// cloudWatch verifies, admits and runs one request.
func (h *Handler) cloudWatch(r *http.Request, body []byte, action string, decode func([]byte) (any, error)) (map[string]any, error) {
	caller, err := h.verifier.Verify(r, body, cloudWatchSigning)
	if err != nil {
		return nil, err
	}
	run, known := cloudWatchOperations()[action]
	if !known {
		return nil, &apiError{Status: http.StatusNotFound, Code: "UnknownOperationException"}
	}
	if err := h.admit(caller, cloudWatchIAM, action); err != nil {
		return nil, err
	}
	if r.Header.Get("Content-Encoding") == "gzip" { // SDKs do so from 10 KB on
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, serialization("")
		}
		if body, err = io.ReadAll(io.LimitReader(z, maxBody+1)); err != nil || len(body) > maxBody {
			return nil, serialization("")
		}
	}
	raw, err := decode(body)
	if err != nil {
		return nil, err
	}
	in, _ := raw.(map[string]any)
	c := &call{Handler: h, ctx: r.Context(), caller: caller}
	var out map[string]any
	err = h.world.Tables(func(t *world.Tables) (err error) {
		out, err = run(c, t, in)
		return err
	})
	return out, err
}

// serveCloudWatchQuery answers a request in the query protocol.
func (h *Handler) serveCloudWatchQuery(w http.ResponseWriter, r *http.Request, body []byte, id string) {
	var action string
	out, err := h.cloudWatch(r, body, peekAction(body), func(body []byte) (any, error) {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, serialization("")
		}
		action = form.Get("Action")
		return formTree(form), nil
	})
	tree := el(action+"Response", el("ResponseMetadata", leaf("RequestId", id)))
	status := http.StatusOK
	switch {
	case err != nil:
		e := asAPIError(err)
		tree = el("ErrorResponse", el("Error", leaf("Type", "Sender"), leaf("Code", queryCode(e, queryCodes)), leaf("Message", e.Message)), leaf("RequestId", id))
		status = queryStatus(e, queryCodes)
	case out != nil:
		tree.kids = append([]element{el(action+"Result", elements(out)...)}, tree.kids...)
	}
	tree.namespace = "http://monitoring.amazonaws.com/doc/" + cloudWatchVersion + "/"
	writeTree(w, status, tree)
}

// peekAction is the operation that a form names.
func peekAction(body []byte) string {
	form, _ := url.ParseQuery(string(body))
	return form.Get("Action")
}

// formTree makes of MetricData.member.1.MetricName=x the maps and lists that the
// other protocols carry. All leaves are texts.
func formTree(form url.Values) any {
	root := map[string]any{}
	for name, values := range form {
		node := root
		parts := strings.Split(name, ".")
		for _, p := range parts[:len(parts)-1] {
			next, ok := node[p].(map[string]any)
			if !ok {
				next = map[string]any{}
				node[p] = next
			}
			node = next
		}
		node[parts[len(parts)-1]] = values[0]
	}
	return formLists(root)
}

// formLists turns maps that hold only "member" into lists.
func formLists(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	if items, ok := m["member"].(map[string]any); ok && len(m) == 1 {
		list := []any{}
		for i := 1; items[strconv.Itoa(i)] != nil; i++ {
			list = append(list, formLists(items[strconv.Itoa(i)]))
		}
		return list
	}
	for name, kid := range m {
		m[name] = formLists(kid)
	}
	return m
}

// elements writes an answer as XML.
func elements(m map[string]any) []element {
	var all []element
	for _, name := range slices.Sorted(maps.Keys(m)) {
		all = append(all, xmlElement(name, m[name]))
	}
	return all
}

func xmlElement(name string, v any) element {
	switch v := v.(type) {
	case string:
		return leaf(name, v)
	case bool:
		return truth(name, v)
	case int:
		return number(name, v)
	case float64:
		return leaf(name, strconv.FormatFloat(v, 'f', -1, 64))
	case time.Time:
		return leaf(name, v.UTC().Format(time.RFC3339))
	case []any:
		return list(name, v, func(e any) element { return xmlElement("member", e) })
	case map[string]any:
		return el(name, elements(v)...)
	}
	return element{}
}

// jsonTimes writes times as JSON 1.0 has them.
func jsonTimes(v any) any {
	switch v := v.(type) {
	case time.Time:
		return seconds(v)
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = jsonTimes(e)
		}
		return list
	case map[string]any:
		m := map[string]any{}
		for name, e := range v {
			if e != nil {
				m[name] = jsonTimes(e)
			}
		}
		return m
	}
	return v
}

// amount reads a number in any of the protocols.
func amount(v any) (f float64, ok bool) {
	text := ""
	switch v := v.(type) {
	case json.Number:
		text = string(v)
	case string:
		text = v
	default:
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil
}

// moment reads a time in any of the protocols.
func moment(v any) (t time.Time, ok bool) {
	if s, isText := v.(string); isText {
		t, err := time.Parse(time.RFC3339, s)
		return t, err == nil
	}
	f, ok := amount(v)
	return time.UnixMilli(int64(f * 1000)).UTC(), ok
}

// yes reads a boolean in any of the protocols.
func yes(v any, def bool) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return v == "true"
	}
	return def
}

// whole reads an integer in any of the protocols, def when it is absent.
func whole(v any, def int) int {
	if f, ok := amount(v); ok {
		return int(f)
	}
	return def
}
