package document

import (
	"encoding/json"
	"fmt"
	"reflect"
)

// diff shows both sides when they differ, and is "" when they do not.
func diff(want, got any) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	return fmt.Sprintf("got  %s\nwant %s", show(got), show(want))
}

func show(v any) string {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Sprintf("%#v", v)
	}
	return string(b)
}
