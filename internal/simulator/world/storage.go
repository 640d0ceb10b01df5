package world

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// storage is what other services keep for Systems Manager: objects of S3 and
// events of CloudWatch Logs.
type storage struct {
	mu      sync.Mutex
	buckets map[string]*bucket
	groups  map[string]*logGroup
	events  int // of all streams, ever
}

type bucket struct {
	spec    BucketSpec
	objects map[string]Object
}

type logGroup struct {
	spec    LogGroupSpec
	streams map[string]*LogStream
}

// Object is an object of S3. Its data is never changed.
type Object struct {
	Key      string
	Data     []byte
	Modified time.Time
}

// LogStream is a stream of CloudWatch Logs. Its events are in order and only
// ever added to.
type LogStream struct {
	Name    string
	Created time.Time
	Events  []LogEvent
}

// LogEvent is an event of a log stream.
type LogEvent struct {
	Number  int // counts the events of the account, from 1
	Time    time.Time
	Message string
}

func newStorage(sc *Scenario) *storage {
	s := &storage{buckets: map[string]*bucket{}, groups: map[string]*logGroup{}}
	for _, b := range sc.Buckets {
		s.buckets[b.Name] = &bucket{spec: b, objects: map[string]Object{}}
	}
	for _, g := range sc.LogGroups {
		s.groups[g.Name] = &logGroup{spec: g, streams: map[string]*LogStream{}}
	}
	return s
}

// Bucket finds a bucket of the scenario.
func (w *World) Bucket(name string) (BucketSpec, bool) {
	w.storage.mu.Lock()
	defer w.storage.mu.Unlock()
	b, ok := w.storage.buckets[name]
	if !ok {
		return BucketSpec{}, false
	}
	return b.spec, true
}

// Buckets returns all buckets in the order of their names.
func (w *World) Buckets() []BucketSpec {
	w.storage.mu.Lock()
	defer w.storage.mu.Unlock()
	var all []BucketSpec
	for _, name := range slices.Sorted(maps.Keys(w.storage.buckets)) {
		all = append(all, w.storage.buckets[name].spec)
	}
	return all
}

// PutObject writes an object. Into a bucket that does not exist it is lost, as
// an agent's log would be.
func (w *World) PutObject(bucketName, key string, data []byte) {
	w.storage.mu.Lock()
	defer w.storage.mu.Unlock()
	if b, ok := w.storage.buckets[bucketName]; ok {
		b.objects[key] = Object{Key: key, Data: bytes.Clone(data), Modified: w.now()}
	}
}

// Object finds an object.
func (w *World) Object(bucketName, key string) (Object, bool) {
	w.storage.mu.Lock()
	defer w.storage.mu.Unlock()
	b, ok := w.storage.buckets[bucketName]
	if !ok {
		return Object{}, false
	}
	o, ok := b.objects[key]
	return o, ok
}

// Objects returns the objects whose key begins with prefix, in the order of
// their keys.
func (w *World) Objects(bucketName, prefix string) []Object {
	w.storage.mu.Lock()
	defer w.storage.mu.Unlock()
	b, ok := w.storage.buckets[bucketName]
	if !ok {
		return nil
	}
	var list []Object
	for _, key := range slices.Sorted(maps.Keys(b.objects)) {
		if strings.HasPrefix(key, prefix) {
			list = append(list, b.objects[key])
		}
	}
	return list
}

// logGroup finds a log group of the scenario.
func (w *World) logGroup(name string) (LogGroupSpec, bool) {
	w.storage.mu.Lock()
	defer w.storage.mu.Unlock()
	g, ok := w.storage.groups[name]
	if !ok {
		return LogGroupSpec{}, false
	}
	return g.spec, true
}

// PutLogEvent adds an event to a stream, which is made when it does not exist.
// In a group that does not exist it is lost.
func (w *World) PutLogEvent(group, stream, message string) {
	w.storage.mu.Lock()
	defer w.storage.mu.Unlock()
	g, ok := w.storage.groups[group]
	if !ok {
		return
	}
	s, ok := g.streams[stream]
	if !ok {
		s = &LogStream{Name: stream, Created: w.now()}
		g.streams[stream] = s
	}
	w.storage.events++
	s.Events = append(s.Events, LogEvent{Number: w.storage.events, Time: w.now(), Message: message})
}

// makeLogGroup makes a log group that does not exist, as agents do for the output
// of commands.
func (w *World) makeLogGroup(name string) {
	w.storage.mu.Lock()
	defer w.storage.mu.Unlock()
	if _, ok := w.storage.groups[name]; !ok {
		w.storage.groups[name] = &logGroup{spec: LogGroupSpec{Name: name}, streams: map[string]*LogStream{}}
	}
}

// LogGroups returns the log groups whose name begins with prefix.
func (w *World) LogGroups(prefix string) []LogGroupSpec {
	w.storage.mu.Lock()
	defer w.storage.mu.Unlock()
	var all []LogGroupSpec
	for _, name := range slices.Sorted(maps.Keys(w.storage.groups)) {
		if strings.HasPrefix(name, prefix) {
			all = append(all, w.storage.groups[name].spec)
		}
	}
	return all
}

// LogStreams returns the streams of a group whose name begins with prefix.
func (w *World) LogStreams(group, prefix string) ([]LogStream, error) {
	w.storage.mu.Lock()
	defer w.storage.mu.Unlock()
	g, err := w.storage.group(group)
	if err != nil {
		return nil, err
	}
	var list []LogStream
	for _, name := range slices.Sorted(maps.Keys(g.streams)) {
		if strings.HasPrefix(name, prefix) {
			list = append(list, *g.streams[name])
		}
	}
	return list, nil
}

// LogEvents returns a stream as it is now.
func (w *World) LogEvents(group, stream string) (LogStream, error) {
	w.storage.mu.Lock()
	defer w.storage.mu.Unlock()
	g, err := w.storage.group(group)
	if err != nil {
		return LogStream{}, err
	}
	s, ok := g.streams[stream]
	if !ok {
		return LogStream{}, Errorf("ResourceNotFoundException", "The specified log stream does not exist.")
	}
	return *s, nil
}

// group finds a group. Callers hold mu.
func (s *storage) group(name string) (*logGroup, error) {
	g, ok := s.groups[name]
	if !ok {
		return nil, Errorf("ResourceNotFoundException", "The specified log group does not exist.")
	}
	return g, nil
}
