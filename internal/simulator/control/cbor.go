package control

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// CBOR (RFC 8949) as Smithy's RPC v2 protocol uses it: what a request may hold is
// read into the values that decodeJSON makes, so that operations do not know which
// of the two a client spoke.

// maxCBORDepth bounds how deep values lie within each other.
const maxCBORDepth = 32

var errCBOR = errors.New("the body is no CBOR")

// Major types of RFC 8949, section 3.1.
const (
	cborUint = iota
	cborNegative
	cborBytes
	cborText
	cborArray
	cborMap
	cborTag
	cborSimple
)

const cborEpoch = 1 // tag of seconds since 1970 (section 3.4.2)

// decodeCBOR reads one value: maps, lists, texts, booleans, json.Number for
// numbers and times (seconds since 1970), base64 texts for bytes.
func decodeCBOR(data []byte) (any, error) {
	d := cborReader{data: data}
	v, err := d.value(0)
	if err != nil || d.at != len(d.data) {
		return nil, errCBOR
	}
	return v, nil
}

type cborReader struct {
	data []byte
	at   int
}

// head reads the first byte of a value and its argument. indefinite is the length
// that is ended by a break.
func (d *cborReader) head() (major byte, n uint64, indefinite bool, info byte, err error) {
	if d.at >= len(d.data) {
		return 0, 0, false, 0, errCBOR
	}
	b := d.data[d.at]
	d.at++
	major, info = b>>5, b&0x1f
	switch {
	case info < 24:
		return major, uint64(info), false, info, nil
	case info <= 27:
		size := 1 << (info - 24)
		if len(d.data)-d.at < size {
			return 0, 0, false, 0, errCBOR
		}
		var full [8]byte
		copy(full[8-size:], d.data[d.at:d.at+size])
		d.at += size
		return major, binary.BigEndian.Uint64(full[:]), false, info, nil
	case info == 31:
		return major, 0, true, info, nil
	}
	return 0, 0, false, 0, errCBOR
}

// ended eats a break when one is next.
func (d *cborReader) ended() bool {
	if d.at < len(d.data) && d.data[d.at] == 0xff {
		d.at++
		return true
	}
	return false
}

func (d *cborReader) value(depth int) (any, error) {
	if depth > maxCBORDepth {
		return nil, errCBOR
	}
	major, n, indefinite, info, err := d.head()
	if err != nil {
		return nil, err
	}
	switch major {
	case cborUint, cborNegative:
		if indefinite {
			return nil, errCBOR
		}
		if major == cborUint {
			return json.Number(strconv.FormatUint(n, 10)), nil
		}
		if n > math.MaxInt64 {
			return nil, errCBOR
		}
		return json.Number(strconv.FormatInt(-1-int64(n), 10)), nil
	case cborBytes, cborText:
		b, err := d.text(major, n, indefinite)
		if err != nil {
			return nil, err
		}
		if major == cborBytes {
			return base64.StdEncoding.EncodeToString(b), nil
		}
		if !utf8.Valid(b) {
			return nil, errCBOR
		}
		return string(b), nil
	case cborArray:
		return d.array(n, indefinite, depth)
	case cborMap:
		return d.object(n, indefinite, depth)
	case cborTag:
		if indefinite {
			return nil, errCBOR
		}
		return d.value(depth + 1) // of an epoch the number; others are not used here
	}
	return simple(n, indefinite, info)
}

func (d *cborReader) text(major byte, n uint64, indefinite bool) ([]byte, error) {
	if !indefinite {
		if n > uint64(len(d.data)-d.at) {
			return nil, errCBOR
		}
		b := d.data[d.at : d.at+int(n)]
		d.at += int(n)
		return b, nil
	}
	var all []byte
	for !d.ended() {
		kind, n, more, _, err := d.head()
		if err != nil || kind != major || more {
			return nil, errCBOR
		}
		b, err := d.text(major, n, false)
		if err != nil {
			return nil, err
		}
		all = append(all, b...)
	}
	return all, nil
}

func (d *cborReader) array(n uint64, indefinite bool, depth int) (any, error) {
	list := []any{}
	for i := uint64(0); indefinite || i < n; i++ {
		if indefinite && d.ended() {
			break
		}
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

func (d *cborReader) object(n uint64, indefinite bool, depth int) (any, error) {
	object := map[string]any{}
	for i := uint64(0); indefinite || i < n; i++ {
		if indefinite && d.ended() {
			break
		}
		key, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		name, ok := key.(string)
		if !ok {
			return nil, errCBOR
		}
		if object[name], err = d.value(depth + 1); err != nil {
			return nil, err
		}
	}
	return object, nil
}

// simple reads booleans, null and floating-point numbers.
func simple(n uint64, indefinite bool, info byte) (any, error) {
	number := func(f float64) (any, error) {
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return strconv.FormatFloat(f, 'g', -1, 64), nil
		}
		return json.Number(strconv.FormatFloat(f, 'g', -1, 64)), nil
	}
	switch {
	case indefinite:
		return nil, errCBOR
	case info == 25:
		return number(half(uint16(n)))
	case info == 26:
		return number(float64(math.Float32frombits(uint32(n))))
	case info == 27:
		return number(math.Float64frombits(n))
	case n == 20, n == 21:
		return n == 21, nil
	case n == 22, n == 23: // null, undefined
		return nil, nil
	}
	return nil, errCBOR
}

// half is a number of 16 bits (RFC 8949, appendix D).
func half(bits uint16) float64 {
	exponent, mantissa := int(bits>>10&0x1f), float64(bits&0x3ff)
	var f float64
	switch exponent {
	case 0:
		f = math.Ldexp(mantissa, -24)
	case 31:
		f = math.Inf(1)
		if mantissa != 0 {
			f = math.NaN()
		}
	default:
		f = math.Ldexp(mantissa+1024, exponent-25)
	}
	if bits&0x8000 != 0 {
		return -f
	}
	return f
}

// encodeCBOR writes an answer: maps, lists, texts, booleans, numbers and times.
// Members that are nil are left out.
func encodeCBOR(v any) []byte { return appendCBOR(nil, v) }

func appendCBOR(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, cborSimple<<5|22)
	case bool:
		if v {
			return append(b, cborSimple<<5|21)
		}
		return append(b, cborSimple<<5|20)
	case string:
		return append(cborHead(b, cborText, uint64(len(v))), v...)
	case int:
		if v < 0 {
			return cborHead(b, cborNegative, uint64(-1-v))
		}
		return cborHead(b, cborUint, uint64(v))
	case float64:
		return binary.BigEndian.AppendUint64(append(b, cborSimple<<5|27), math.Float64bits(v))
	case time.Time:
		return appendCBOR(cborHead(b, cborTag, cborEpoch), seconds(v))
	case []any:
		b = cborHead(b, cborArray, uint64(len(v)))
		for _, e := range v {
			b = appendCBOR(b, e)
		}
		return b
	case map[string]any:
		names := slices.Sorted(maps.Keys(v))
		names = slices.DeleteFunc(names, func(name string) bool { return v[name] == nil })
		b = cborHead(b, cborMap, uint64(len(names)))
		for _, name := range names {
			b = appendCBOR(appendCBOR(b, name), v[name])
		}
		return b
	}
	panic(fmt.Sprintf("control: no CBOR for %T", v)) // our bug
}

func cborHead(b []byte, major byte, n uint64) []byte {
	first := major << 5
	switch {
	case n < 24:
		return append(b, first|byte(n))
	case n <= math.MaxUint8:
		return append(b, first|24, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, first|25), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, first|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, first|27), n)
}

// seconds are those since 1970, with their fraction.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
