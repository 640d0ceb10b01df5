package control

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// queryService is a service whose requests are forms and whose answers are XML.
type queryService struct {
	signing   string // signing name, and the prefix of IAM actions
	namespace string
	// ec2 answers without the element <ActionResult> and has errors of its own form.
	ec2     bool
	actions map[string]func(c *call, form url.Values) ([]element, error)
}

// queryServices are told apart by the version of their API, which every request
// carries.
var queryServices = map[string]queryService{
	"2014-10-31": {signing: "rds", namespace: "http://rds.amazonaws.com/doc/2014-10-31/", actions: rdsActions},
	"2015-02-02": {signing: "elasticache", namespace: "http://elasticache.amazonaws.com/doc/2015-02-02/", actions: cacheActions},
	"2012-12-01": {signing: "redshift", namespace: "http://redshift.amazonaws.com/doc/2012-12-01/", actions: redshiftActions},
	"2016-11-15": {signing: "ec2", namespace: "http://ec2.amazonaws.com/doc/2016-11-15/", ec2: true, actions: ec2Actions},
	iamVersion:   {signing: "iam", namespace: "https://iam.amazonaws.com/doc/" + iamVersion + "/", actions: iamActions},
}

// serveQuery answers a request in the query protocol.
func (h *Handler) serveQuery(w http.ResponseWriter, r *http.Request, body []byte, id string) {
	form, err := url.ParseQuery(string(body))
	if form.Get("Version") == cloudWatchVersion {
		h.serveCloudWatchQuery(w, r, body, id)
		return
	}
	s, known := queryServices[form.Get("Version")]
	if err != nil || !known {
		h.serveSTS(w, r, body, id)
		return
	}
	action := form.Get("Action")
	answer, err := h.query(r, s, form, body)
	h.log.Debug("api", "target", s.signing+"."+action, "id", id, "err", err)
	switch {
	case err != nil && s.ec2:
		e := asAPIError(err)
		writeTree(w, queryStatus(e, ec2Codes), el("Response",
			el("Errors", el("Error", leaf("Code", queryCode(e, ec2Codes)), leaf("Message", e.Message))), leaf("RequestID", id)))
	case err != nil:
		e := asAPIError(err)
		tree := el("ErrorResponse", el("Error", leaf("Type", "Sender"), leaf("Code", queryCode(e, queryCodes)), leaf("Message", e.Message)), leaf("RequestId", id))
		tree.namespace = s.namespace
		writeTree(w, queryStatus(e, queryCodes), tree)
	case s.ec2:
		tree := el(action+"Response", append([]element{leaf("requestId", id)}, answer...)...)
		tree.namespace = s.namespace
		writeTree(w, http.StatusOK, tree)
	default:
		tree := el(action+"Response", el(action+"Result", answer...), el("ResponseMetadata", leaf("RequestId", id)))
		tree.namespace = s.namespace
		writeTree(w, http.StatusOK, tree)
	}
}

func (h *Handler) query(r *http.Request, s queryService, form url.Values, body []byte) ([]element, error) {
	caller, err := h.verifier.Verify(r, body, s.signing)
	if err != nil {
		return nil, err
	}
	action := form.Get("Action")
	run, known := s.actions[action]
	if !known {
		return nil, &apiError{Code: "InvalidAction", Message: "Could not find operation " + action + " for version " + form.Get("Version")}
	}
	if err := h.admit(caller, s.signing, action); err != nil {
		return nil, err
	}
	return run(&call{Handler: h, ctx: r.Context(), caller: caller}, form)
}

// admit counts a call and refuses it when the scenario says so, or when it comes
// too soon.
func (h *Handler) admit(caller Caller, service, action string) error {
	h.count(caller, action)
	if err := mayCall(caller, service, action); err != nil {
		return err
	}
	if err := h.nodeMayCall(caller, service, action); err != nil {
		return err
	}
	name := service + ":" + action
	switch {
	case h.world.Denies(name):
		return &apiError{Status: http.StatusForbidden, Code: "AccessDeniedException", Message: "User: " + caller.ARN + " is not authorized to perform: " + name + " because no identity-based policy allows the " + name + " action"}
	case !h.throttle.allow(action):
		return &apiError{Code: "ThrottlingException", Message: "Rate exceeded"}
	}
	return h.world.MayOn(caller.ARN, name, "")
}

// ec2Codes are the error codes of EC2 where they differ from those of JSON 1.1.
var ec2Codes = map[string]string{
	"InvalidSignatureException":           "AuthFailure",
	"UnrecognizedClientException":         "AuthFailure",
	"MissingAuthenticationTokenException": "AuthFailure",
	"IncompleteSignatureException":        "AuthFailure",
	"ExpiredTokenException":               "RequestExpired",
	"ThrottlingException":                 "RequestLimitExceeded",
	"AccessDeniedException":               "UnauthorizedOperation",
	"ValidationException":                 "InvalidParameterValue",
}

func queryCode(e *apiError, codes map[string]string) string {
	if c, ok := codes[e.Code]; ok {
		return c
	}
	return e.Code
}

func queryStatus(e *apiError, codes map[string]string) int {
	switch code := queryCode(e, codes); {
	case e.Status != 0:
		return e.Status
	case code == "RequestLimitExceeded":
		return http.StatusServiceUnavailable
	case code == "Throttling" || code == "ValidationError" || code == "InvalidParameterValue" || codes[e.Code] == "":
		return http.StatusBadRequest
	}
	return http.StatusForbidden
}

// element is a piece of XML.
type element struct {
	name, namespace, text string
	kids                  []element
}

func el(name string, kids ...element) element { return element{name: name, kids: kids} }

// leaf is an element with text; an empty one is left out of the answer, as the
// services leave out what is not set.
func leaf(name, text string) element { return element{name: name, text: text} }

func number(name string, n int) element { return leaf(name, strconv.Itoa(n)) }

func truth(name string, b bool) element { return leaf(name, strconv.FormatBool(b)) }

// list is an element with one child for each item.
func list[T any](name string, items []T, each func(T) element) element {
	e := el(name)
	e.kids = make([]element, 0, len(items)) // empty is not absent
	for _, item := range items {
		e.kids = append(e.kids, each(item))
	}
	return e
}

func texts(name, item string, items []string) element {
	return list(name, items, func(s string) element { return leaf(item, s) })
}

func (e element) write(enc *xml.Encoder) error {
	if e.text == "" && e.kids == nil {
		return nil
	}
	start := xml.StartElement{Name: xml.Name{Local: e.name}}
	if e.namespace != "" {
		start.Attr = []xml.Attr{{Name: xml.Name{Local: "xmlns"}, Value: e.namespace}}
	}
	if err := enc.EncodeToken(start); err != nil {
		return err
	}
	if e.text != "" {
		if err := enc.EncodeToken(xml.CharData(e.text)); err != nil {
			return err
		}
	}
	for _, k := range e.kids {
		if err := k.write(enc); err != nil {
			return err
		}
	}
	return enc.EncodeToken(start.End())
}

func writeTree(w http.ResponseWriter, status int, e element) {
	var buf bytes.Buffer
	buf.WriteString(xml.Header)
	enc := xml.NewEncoder(&buf)
	if err := e.write(enc); err != nil || enc.Close() != nil {
		http.Error(w, "the answer could not be encoded", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write(buf.Bytes())
}

// numbered returns the values of PREFIX1, PREFIX2, … in their order.
func numbered(form url.Values, prefix string) []string {
	var all []string
	for i := 1; form.Has(prefix + strconv.Itoa(i)); i++ {
		all = append(all, form.Get(prefix+strconv.Itoa(i)))
	}
	return all
}

// marked cuts a list into pages by MaxRecords and Marker, as RDS, ElastiCache
// and Redshift do. The last element is the marker of the next page.
func marked[T any](c *call, form url.Values, items []T, key func(T) string) ([]T, element, error) {
	size := 100
	if s := form.Get("MaxRecords"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 20 || n > 100 {
			return nil, element{}, &apiError{Code: "InvalidParameterValue", Message: "Invalid value " + s + " for MaxRecords. Must be between 20 and 100"}
		}
		size = n
	}
	items, next, err := page(c, form.Get("Action"), items, key, form.Get("Marker"), &size, size)
	if err != nil {
		return nil, element{}, &apiError{Code: "InvalidParameterValue", Message: "Invalid marker"}
	}
	return items, leaf("Marker", next), nil
}

// named leaves the database that is asked for by name, if one is.
func named[T any](items []T, name string, key func(T) string, code, what string) ([]T, error) {
	if name == "" {
		return items, nil
	}
	items = slices.DeleteFunc(items, func(t T) bool { return !strings.EqualFold(key(t), name) })
	if len(items) == 0 {
		return nil, &apiError{Status: http.StatusNotFound, Code: code, Message: what + " " + name + " not found."}
	}
	return items, nil
}
