package tui_test

import (
	"context"
	"errors"
	"testing"

	"github.com/ssmdeck/ssmdeck/tui"
	"github.com/ssmdeck/ssmdeck/tui/deck"
)

// A key that nothing hears would be taken for one that has done something.
func TestAKeyWithoutUseSaysSo(t *testing.T) {
	w := newWorld(t)
	for _, key := range []string{"Q", "é", "0"} {
		w.Press(key)
		w.Has(key + " does nothing here; ? has all keys")
	}
	for _, key := range []string{"j", "k", "g", "G", "h", "l", "*", "I", "down", "ctrl+d"} {
		w.Press(key)
		w.Lacks("does nothing here")
	}
}

func TestALongMenuSaysWhereItIs(t *testing.T) {
	w := newWorld(t)
	w.Size(80, 24)
	w.Press("?")
	w.Has("▸ /", "1 of 32")
	w.Press("end")
	w.Has("32 of 32")
	w.Lacks("▸ /")
	w.Press("home", "ctrl+d")
	w.Has("16 of 32")
	w.Press("home")
	w.Has("▸ /", "1 of 32")
	w.Type("zzz") // the keys of the line, once something is in it
	w.Press("home")
	w.Type("ctrl")
	w.Has("ctrlzzz", "nothing fits")
	w.Lacks("of 32")
}

// What a field is for is needed most while it is filled in.
func TestAFieldSaysWhatItIsForWhileItIsFilledIn(t *testing.T) {
	w := newWorld(t)
	w.Send(deck.Form{Title: "Export", Fields: []deck.Field{
		{Name: "file", Label: "File", Value: "nodes.csv", Help: "its ending is the format"},
		{Name: "tags", Label: "Tags", Help: "KEY=VALUE sets, KEY- removes"},
	}})
	w.Has("nodes.csv", "its ending is the format", "KEY=VALUE sets")
	w.Press("tab")
	w.Lacks("its ending is the format")
	w.Type("env=prod")
	w.Has("env=prod", "KEY=VALUE sets, KEY- removes")
}

func TestWithoutABrowserNothingIsOpening(t *testing.T) {
	w := newWorld(t, func(o *tui.Options) {
		o.Browse = func(context.Context, string) error { return errors.New("xdg-open is not installed") }
	})
	w.Send(deck.Browse{URL: "https://console.aws.amazon.com/systems-manager"})
	w.Has("No browser could be opened: xdg-open is not installed", "https://console.aws.amazon.com/systems-manager", "c copy")
	w.Lacks("opening")
}
