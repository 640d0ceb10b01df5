package theme

import (
	"fmt"
	"sync"
)

// looks are the looks of roles in the words of parseLook. Sources has several, with
// commas between them.
type looks map[string]string

// The themes of sixteen colours. Yellow and cyan are unreadable on most light
// backgrounds, and so is blue on black.
var (
	darkLooks = looks{
		"title": "bold", "header": "bold", "strong": "bold", "changed": "bold",
		"key": "bright-black", "dim": "bright-black", "border": "bright-black", "idle": "bright-black", "unknown": "default",
		"accent": "cyan", "busy": "cyan", "bar": "cyan", "match": "cyan bold",
		"good": "green", "warn": "yellow", "bad": "red bold",
		"selected": "reverse", "protected": "bright-white on red bold",
		Sources: "cyan, green, yellow, bright-blue, magenta, bright-cyan, bright-green, bright-magenta",
	}
	lightLooks = looks{
		"accent": "blue", "busy": "blue", "bar": "blue", "match": "blue bold", "warn": "magenta",
		Sources: "blue, green, magenta, red, bright-black",
	}
)

// High contrast: hardly anything is grey, and the row under the cursor has colours that
// nothing else has. What is dim stays so a little: hints in empty fields are no values.
// The first of each two is for terminals that have sixteen colours.
var (
	contrastSixteen = looks{
		"key": "default bold", "dim": "white", "border": "default", "idle": "default",
		"accent": "bright-cyan bold", "busy": "bright-cyan", "bar": "bright-cyan", "match": "black on bright-yellow bold",
		"good": "bright-green", "warn": "bright-yellow bold", "bad": "bright-red bold",
		"selected": "black on bright-yellow bold", "changed": "bold underline",
		Sources: "bright-cyan, bright-green, bright-yellow, bright-magenta, bright-white",
	}
	contrastLooks = looks{
		"title": "#ffffff bold", "header": "#ffffff bold underline", "key": "#d7e3ff bold", "strong": "#ffffff bold",
		"dim": "#c6c6c6", "border": "#ffffff", "idle": "#e4e4e4", "unknown": "#ffffff",
		"accent": "#7fe8ff bold", "busy": "#7fe8ff", "bar": "#7fe8ff", "match": "#000000 on #ffff5f bold",
		"good": "#5fefb0", "warn": "#ffff87 bold", "bad": "#ffb3b3 bold",
		"selected": "#000000 on #ffff5f bold", "changed": "#ffffff bold underline", "protected": "#ffffff on #8b0000 bold",
		Sources: "#7fe8ff, #5fefb0, #ffff87, #ffc4ff, #ffd7a8",
	}
	contrastLightSixteen = looks{
		"key": "default bold", "dim": "bright-black", "border": "default", "idle": "default",
		"accent": "blue bold", "busy": "blue", "bar": "blue", "match": "blue bold reverse",
		"good": "default", "warn": "magenta bold", "bad": "red bold",
		"selected": "reverse bold", "changed": "bold underline", "protected": "red bold reverse",
		Sources: "blue, magenta, red, default",
	}
	contrastLightLooks = looks{
		"title": "#000000 bold", "header": "#000000 bold underline", "key": "#1c1c1c bold", "strong": "#000000 bold",
		"dim": "#4d4d4d", "border": "#000000", "idle": "#262626", "unknown": "#000000",
		"accent": "#00108f bold", "busy": "#00108f", "bar": "#00108f", "match": "#ffffff on #00108f bold",
		"good": "#005f00", "warn": "#5f0087 bold", "bad": "#5f0000 bold",
		"selected": "#ffffff on #00108f bold", "changed": "#000000 bold underline", "protected": "#ffffff on #8b0000 bold",
		Sources: "#00108f, #005f00, #5f0087, #5f0000, #5f005f",
	}
)

// The themes of true colour, one for dark backgrounds and one for light ones.
var (
	duskLooks = looks{
		"title": "#e8e3d3 bold", "header": "#c8d3f5 bold", "key": "#a9b8d8", "strong": "#f2efe6 bold", "changed": "#f2efe6 bold",
		"dim": "#a3adc2", "border": "#95a1b9", "idle": "#a3adc2", "unknown": "default",
		"accent": "#8ecbff", "busy": "#8ecbff", "bar": "#7fb8f0", "match": "#1b1f2a on #f3d58a bold",
		"good": "#8fd9a8", "warn": "#ffe39a", "bad": "#ff9a8f bold",
		"selected": "#ffffff on #34507a bold", "protected": "#ffffff on #a3212b bold",
		Sources: "#8ecbff, #8fd9a8, #ffe39a, #d9b3ff, #ffb38a, #8fe0dc, #f5a9d0",
	}
	dawnLooks = looks{
		"title": "#1f2937 bold", "header": "#1e3a5f bold", "key": "#475569", "strong": "#111827 bold", "changed": "#111827 bold",
		"dim": "#545f6e", "border": "#5d6983", "idle": "#545f6e", "unknown": "default",
		"accent": "#0b4f9e", "busy": "#0b4f9e", "bar": "#2463b0", "match": "#1f2937 on #f4d35e bold",
		"good": "#045538", "warn": "#8a5a00", "bad": "#7a0a10 bold",
		"selected": "#ffffff on #1d4f91 bold", "protected": "#ffffff on #a3212b bold",
		Sources: "#0b4f9e, #045538, #8a5a00, #6b21a8, #9a3412, #0e6670, #9d174d",
	}
)

// builtIn says what the themes that come with ssmdeck are made of, the last of what
// stands one upon the other counts.
var builtIn = []struct {
	name Variant
	of   []looks
}{
	{Dark, []looks{darkLooks}},
	{Light, []looks{darkLooks, lightLooks}},
	{Dusk, []looks{darkLooks, duskLooks}},
	{Dawn, []looks{darkLooks, lightLooks, dawnLooks}},
	{Contrast, []looks{darkLooks, contrastSixteen, contrastLooks}},
	{ContrastLight, []looks{darkLooks, lightLooks, contrastLightSixteen, contrastLightLooks}},
	{Plain, nil},
}

// built are the built-in themes, read once.
var built = sync.OnceValue(func() map[Variant]*Theme {
	all := map[Variant]*Theme{}
	for _, b := range builtIn {
		t := &Theme{Name: b.name}
		for _, l := range b.of {
			t.layers = append(t.layers, l.layer())
		}
		all[b.name] = t
	}
	return all
})

// layer reads the looks; one that cannot be read is our own bug.
func (l looks) layer() layer {
	out := layer{}
	for role, text := range l {
		list, err := parseLooks(role, text)
		if err != nil {
			panic(fmt.Sprintf("theme: %s: %v", role, err))
		}
		out[role] = list
	}
	return out
}
