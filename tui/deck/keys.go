package deck

import (
	"strings"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
)

// KeyNamed is the press of a key by its name, as tea.KeyPressMsg.String has it: "s", "ctrl+r".
func KeyNamed(name string) tea.KeyPressMsg {
	var k tea.KeyPressMsg
	for _, m := range []struct {
		name string
		mod  tea.KeyMod
	}{{"ctrl+", tea.ModCtrl}, {"alt+", tea.ModAlt}, {"shift+", tea.ModShift}} {
		if rest, ok := strings.CutPrefix(name, m.name); ok && rest != "" {
			k.Mod, name = k.Mod|m.mod, rest
		}
	}
	named := map[string]rune{
		"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "space": tea.KeySpace, "backspace": tea.KeyBackspace,
		"up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight, "home": tea.KeyHome, "end": tea.KeyEnd,
		"pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "delete": tea.KeyDelete,
	}
	switch code, ok := named[name]; {
	case ok && name == "space" && k.Mod == 0:
		k.Code, k.Text = code, " "
	case ok:
		k.Code = code
	default:
		k.Code, _ = utf8.DecodeRuneInString(name)
		if k.Mod == 0 {
			k.Text = name
		}
	}
	return k
}
