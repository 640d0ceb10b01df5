package schedule

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // for machines without time zones

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

//go:embed zones.txt
var zoneList string

var zoneNames = sync.OnceValue(func() []string { return strings.Fields(zoneList) })

// Zones lists the IANA names that are known, sorted.
func Zones() []string { return zoneNames() }

// abbreviations are what people call time zones, and the names that are meant.
// Several stand for several places.
var abbreviations = map[string][]string{
	"PST": {"America/Los_Angeles"}, "PDT": {"America/Los_Angeles"}, "PT": {"America/Los_Angeles"},
	"MDT": {"America/Denver"}, "MT": {"America/Denver"},
	"CDT": {"America/Chicago"}, "CT": {"America/Chicago"},
	"EDT": {"America/New_York"}, "ET": {"America/New_York"},
	"AKST": {"America/Anchorage"}, "AKDT": {"America/Anchorage"}, "HDT": {"America/Adak"},
	"AST": {"America/Halifax", "Asia/Riyadh"}, "ADT": {"America/Halifax"}, "NST": {"America/St_Johns"}, "BRT": {"America/Sao_Paulo"}, "ART": {"America/Argentina/Buenos_Aires"},
	"BST": {"Europe/London", "Asia/Dhaka"}, "CEST": {"Europe/Berlin", "Europe/Paris"}, "EEST": {"Europe/Athens", "Europe/Helsinki"}, "WEST": {"Europe/Lisbon"},
	"MSK": {"Europe/Moscow"}, "TRT": {"Europe/Istanbul"}, "SAST": {"Africa/Johannesburg"}, "EAT": {"Africa/Nairobi"}, "WAT": {"Africa/Lagos"}, "CAT": {"Africa/Maputo"},
	"IST": {"Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem"}, "GST": {"Asia/Dubai"}, "PKT": {"Asia/Karachi"}, "ICT": {"Asia/Bangkok"}, "WIB": {"Asia/Jakarta"},
	"CST": {"America/Chicago", "Asia/Shanghai"}, "HKT": {"Asia/Hong_Kong"}, "SGT": {"Asia/Singapore"}, "JST": {"Asia/Tokyo"}, "KST": {"Asia/Seoul"},
	"AWST": {"Australia/Perth"}, "ACST": {"Australia/Adelaide"}, "ACDT": {"Australia/Adelaide"}, "AEST": {"Australia/Sydney", "Australia/Brisbane"}, "AEDT": {"Australia/Sydney"},
	"NZST": {"Pacific/Auckland"}, "NZDT": {"Pacific/Auckland"},
}

// shortNames are IANA names that look like abbreviations, with what they mean and
// what is better.
var shortNames = map[string]string{
	"EST":     "EST is five hours behind UTC all year, summer too; for clocks that change write America/New_York",
	"MST":     "MST is seven hours behind UTC all year, summer too; for clocks that change write America/Denver",
	"HST":     "HST is ten hours behind UTC all year, as is Pacific/Honolulu",
	"CET":     "CET follows the clocks of central Europe, summer time included; Europe/Berlin or the like says so",
	"MET":     "MET follows the clocks of central Europe, summer time included; Europe/Berlin or the like says so",
	"EET":     "EET follows the clocks of eastern Europe, summer time included; Europe/Athens or the like says so",
	"WET":     "WET follows the clocks of Portugal, summer time included; Europe/Lisbon says so",
	"EST5EDT": "EST5EDT follows the clocks of New York; America/New_York says so",
	"CST6CDT": "CST6CDT follows the clocks of Chicago; America/Chicago says so",
	"MST7MDT": "MST7MDT follows the clocks of Denver; America/Denver says so",
	"PST8PDT": "PST8PDT follows the clocks of Los Angeles; America/Los_Angeles says so",
	"GMT":     "GMT has no summer time; for the clocks of Britain write Europe/London",
}

// FindZone returns a time zone by its IANA name; "" is UTC. remark is worth telling
// who wrote it, and may be "". The error is an *Error that names what was probably
// meant.
func FindZone(name string) (zone *time.Location, remark string, err error) {
	if name == "" || name == "UTC" {
		return time.UTC, "", nil
	}
	// Exactly as in the database: some file systems do not tell case, and "Local" is
	// the machine's own zone, of which the service knows nothing.
	if slices.Contains(zoneNames(), name) || strings.Contains(name, "/") && !foldsToKnown(name) {
		if zone, err = time.LoadLocation(name); err == nil {
			if strings.HasPrefix(name, "Etc/GMT+") || strings.HasPrefix(name, "Etc/GMT-") {
				_, offset := time.Unix(0, 0).In(zone).Zone()
				remark = fmt.Sprintf("%s is UTC%+03d:00: the sign of these names is the other way round", name, offset/3600)
			}
			if short, ok := shortNames[name]; ok {
				remark = short
			}
			return zone, remark, nil
		}
	}
	f := Fault{Input: Zone, Len: len(name), Message: fmt.Sprintf("%q is no IANA time zone", name), Hint: zoneHint(name)}
	return nil, "", &Error{Zone: name, Faults: []Fault{f}}
}

// foldsToKnown reports whether a name differs from one of the list in case only.
func foldsToKnown(name string) bool {
	return slices.ContainsFunc(zoneNames(), func(known string) bool { return known != name && strings.EqualFold(known, name) })
}

func zoneHint(name string) string {
	if places, ok := abbreviations[strings.ToUpper(name)]; ok {
		if len(places) == 1 {
			return fmt.Sprintf("write %s", places[0])
		}
		return fmt.Sprintf("it may mean %s", strings.Join(places, " or "))
	}
	if hours, ok := offsetHours(name); ok {
		switch {
		case hours == 0:
			return "write UTC"
		case hours >= -12 && hours <= 14:
			return fmt.Sprintf("a zone is a place, such as Europe/Berlin; the fixed offset is Etc/GMT%+d, its sign the other way round", -hours)
		}
	}
	city := strings.ReplaceAll(strings.TrimSpace(name), " ", "_")
	for _, known := range zoneNames() {
		if strings.EqualFold(known, city) {
			return "did you mean " + known + "?"
		}
	}
	for _, known := range zoneNames() {
		if place := known[strings.LastIndexByte(known, '/')+1:]; strings.EqualFold(place, city) && strings.Contains(known, "/") {
			return "did you mean " + known + "?"
		}
	}
	if near := fault.Nearest(city, zoneNames()); near != "" {
		return "did you mean " + near + "?"
	}
	// A slip in the city, with a wrong part of the world or none.
	place := city[strings.LastIndexByte(city, '/')+1:]
	var cities []string
	for _, known := range zoneNames() {
		if strings.Contains(known, "/") {
			cities = append(cities, known[strings.LastIndexByte(known, '/')+1:])
		}
	}
	if near := fault.Nearest(place, cities); near != "" && len(place) > 3 {
		for _, known := range zoneNames() {
			if strings.HasSuffix(known, "/"+near) {
				return "did you mean " + known + "?"
			}
		}
	}
	if near := fault.Closest(city, zoneNames(), 3); len(near) > 0 {
		return "did you mean " + strings.Join(near, " or ") + "?"
	}
	return "for example Europe/Berlin, America/New_York or UTC"
}

// offsetHours reads UTC+2, GMT-5, +02:00 and the like.
func offsetHours(name string) (int, bool) {
	text := strings.ToUpper(strings.ReplaceAll(name, " ", ""))
	text = strings.TrimPrefix(strings.TrimPrefix(text, "UTC"), "GMT")
	if text == "Z" {
		return 0, true
	}
	if len(text) < 2 || text[0] != '+' && text[0] != '-' {
		return 0, false
	}
	hours, minutes, _ := strings.Cut(text[1:], ":")
	if len(hours) == 4 && minutes == "" {
		hours, minutes = hours[:2], hours[2:]
	}
	if !digitsOnly(hours) || len(hours) > 2 || strings.Trim(minutes, "0") != "" {
		return 0, false
	}
	n := 0
	for _, c := range hours {
		n = n*10 + int(c-'0')
	}
	if text[0] == '-' {
		n = -n
	}
	return n, true
}

// location is the zone of the options; UTC after a fault.
func (p *parser) location() *time.Location {
	zone, remark, err := FindZone(p.o.Zone)
	if err != nil {
		p.faults = append(p.faults, err.(*Error).Faults...) //nolint:errorlint // of our own making
		return time.UTC
	}
	if remark != "" {
		p.warn("%s", remark)
	}
	return zone
}
