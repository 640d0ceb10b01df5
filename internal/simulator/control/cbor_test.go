package control

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

// The vectors are those of RFC 8949, appendix A.
func TestCBORVectors(t *testing.T) {
	tests := []struct {
		hex  string
		want any
	}{
		{"00", json.Number("0")},
		{"17", json.Number("23")},
		{"1818", json.Number("24")},
		{"1903e8", json.Number("1000")},
		{"1a000f4240", json.Number("1000000")},
		{"1bffffffffffffffff", json.Number("18446744073709551615")},
		{"20", json.Number("-1")},
		{"3903e7", json.Number("-1000")},
		{"f93c00", json.Number("1")},
		{"f97bff", json.Number("65504")},
		{"f90001", json.Number("5.960464477539063e-08")},
		{"f9c400", json.Number("-4")},
		{"fa47c35000", json.Number("100000")},
		{"fb3ff199999999999a", json.Number("1.1")},
		{"f97c00", "+Inf"},
		{"f97e00", "NaN"},
		{"f4", false},
		{"f5", true},
		{"f6", nil},
		{"f7", nil},
		{"c11a514b67b0", json.Number("1363896240")},
		{"c1fb41d452d9ec200000", json.Number("1.3638962405e+09")},
		{"4401020304", "AQIDBA=="},
		{"62c3bc", "ü"},
		{"8301820203820405", []any{json.Number("1"), []any{json.Number("2"), json.Number("3")}, []any{json.Number("4"), json.Number("5")}}},
		{"9f018202039f0405ffff", []any{json.Number("1"), []any{json.Number("2"), json.Number("3")}, []any{json.Number("4"), json.Number("5")}}},
		{"7f657374726561646d696e67ff", "streaming"},
		{"a26161016162820203", map[string]any{"a": json.Number("1"), "b": []any{json.Number("2"), json.Number("3")}}},
		{"bf61610161629f0203ffff", map[string]any{"a": json.Number("1"), "b": []any{json.Number("2"), json.Number("3")}}},
	}
	for _, tt := range tests {
		data, err := hex.DecodeString(tt.hex)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decodeCBOR(data); err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %#v, %v, want %#v", tt.hex, got, err, tt.want)
		}
	}
}

func TestCBORRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":                  "",
		"a text that is cut":       "6461",
		"a length beyond all":      "5bffffffffffffffff",
		"a list without its end":   "9f01",
		"a list that lacks items":  "8201",
		"a key that is a number":   "a10102",
		"bytes that are no text":   "61ff",
		"something behind":         "0000",
		"a break alone":            "ff",
		"a reserved length":        "1c",
		"lists within lists":       strings.Repeat("81", 40) + "00",
		"a piece of another kind":  "7f4161ff",
		"a number below all":       "3bffffffffffffffff",
		"an argument that is cut":  "19ff",
		"a simple value of nobody": "e0",
	} {
		data, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decodeCBOR(data); err == nil {
			t.Errorf("%s: read as %#v", name, got)
		}
	}
}

func TestCBORAnswers(t *testing.T) {
	at := time.Date(2013, 3, 21, 20, 4, 0, 500e6, time.UTC)
	got := encodeCBOR(map[string]any{
		"b": []any{true, false, 1000, -1000, 1.1, at}, "a": "ü", "gone": nil, "c": map[string]any{}, "d": math.MaxInt64, "e": strings.Repeat("x", 300),
	})
	want := "a5" + "6161" + "62c3bc" + "6162" + "86f5f41903e83903e7fb3ff199999999999ac1fb41d452d9ec200000" + "6163" + "a0" +
		"6164" + "1b7fffffffffffffff" + "6165" + "79012c" + strings.Repeat("78", 300)
	if hex.EncodeToString(got) != want {
		t.Errorf("got  %x\nwant %s", got, want)
	}
}

func FuzzCBOR(f *testing.F) {
	for _, seed := range []string{"a26161016162820203", "bf61610161629f0203ffff", "c1fb41d452d9ec200000", "7f657374726561646d696e67ff"} {
		data, _ := hex.DecodeString(seed)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if v, err := decodeCBOR(data); err == nil {
			if _, err := json.Marshal(v); err != nil {
				t.Errorf("%x: %v", data, err)
			}
		}
	})
}
