package parameter

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/fault"
	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// The limits of what is written with a value (API reference, PutParameter and Tag; user
// guide, "Managing parameter tiers").
const (
	maxDescription = 1024 // characters
	maxPattern     = 1024 // characters
	maxKeyID       = 256  // characters
	maxTags        = 50
	maxTagKey      = 128 // characters
	maxTagValue    = 256 // characters
)

// The data types of a String.
const (
	TextData        = "text"
	ImageData       = "aws:ec2:image"       // the id of a machine image, looked up by the service
	IntegrationData = "aws:ssm:integration" // a webhook that automations call
)

// Words for completion and for errors.
var (
	Types     = []string{String, StringList, SecureString}
	Tiers     = []string{Standard, Advanced, Intelligent}
	DataTypes = []string{TextData, ImageData, IntegrationData}
)

var (
	keyChars   = pattern.Lazy(`^[a-zA-Z0-9:/_-]+$`)
	imageID    = pattern.Lazy(`^ami-([0-9a-f]{8}|[0-9a-f]{17})$`)
	nested     = pattern.Lazy(`\{\{[^{}]*\}\}`)
	tagChars   = pattern.Lazy(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
	dialectual = pattern.Lazy(`\\[bB]|\(\?[a-z]*i`) // means another thing in Java for what is not ASCII
)

// Unknown is the current parameter of a check that is made before it was read: what
// depends on it is not looked at.
var Unknown = &Parameter{}

// CheckChange says everything that the service would refuse about c, without asking it,
// each a Usage error with a hint where there is one. current is the parameter as it is,
// nil for a new one, or Unknown. No error has the value, or a part of it. What only the
// service can know (whether a key is there, who may write) is left to it.
func CheckChange(c Change, current *Parameter) []error { return checkChange(c, current, time.Now()) }

func checkChange(c Change, current *Parameter, now time.Time) []error {
	return append(checkFields(c, current, now), checkValue(c, current)...)
}

// CheckFields is CheckChange without what depends on the value, for before it is asked for.
func CheckFields(c Change, current *Parameter) []error { return checkFields(c, current, time.Now()) }

func checkFields(c Change, current *Parameter, now time.Time) (faults []error) {
	add := func(err error) {
		if err != nil {
			faults = append(faults, err)
		}
	}
	add(CheckName(c.Name))
	add(checkType(c, current))
	add(checkTier(c, current))
	add(checkDataType(c, current))
	add(checkKey(c, current))
	if n := utf8.RuneCountInString(c.Description); n > maxDescription {
		add(fault.Usagef("the description has %d characters; %d are allowed", n, maxDescription))
	}
	add(checkPattern(c))
	if c.Policies != "" {
		faults = append(faults, checkPolicies(c.Policies, now)...)
	}
	faults = append(faults, CheckTags(c.Tags)...)
	if c.Overwrite && len(c.Tags) > 0 {
		add(fault.Usagef("tags together with a new version: the service takes them only with a new parameter").WithHint("set them on their own"))
	}
	if current == nil && c.Type == "" {
		add(fault.Usagef("a new parameter needs a type").WithHint("it is one of %s", strings.Join(Types, ", ")))
	}
	return faults
}

func checkValue(c Change, current *Parameter) (faults []error) {
	for _, err := range []error{checkText(c), checkSize(c, current), checkImage(c, current), checkMatch(c, current)} {
		if err != nil {
			faults = append(faults, err)
		}
	}
	return faults
}

// typeOf is the type that the parameter will have.
func typeOf(c Change, current *Parameter) string {
	if c.Type == "" && current != nil {
		return current.Type
	}
	return c.Type
}

func checkType(c Change, current *Parameter) error {
	switch {
	case c.Type == "":
		return nil
	case !slices.Contains(Types, c.Type):
		e := fault.Usagef("there is no type %s", quoted(c.Type))
		for _, t := range Types {
			if strings.EqualFold(t, c.Type) {
				return e.WithHint("did you mean %s?", t)
			}
		}
		return e.WithHint("types are %s", strings.Join(Types, ", "))
	case current != nil && current.Type != "" && current.Type != c.Type:
		return fault.Usagef("%s is a %s, and the type of a parameter cannot be changed to %s", c.Name, current.Type, c.Type).
			WithHint("write it under a new name, or delete it first")
	}
	return nil
}

// checkText checks what no tier allows in a value.
func checkText(c Change) error {
	switch {
	case c.Value == "":
		return fault.Usagef("the value is empty; the service keeps no empty values").WithHint("delete the parameter, or agree on a word that means nothing")
	case !utf8.ValidString(c.Value):
		return fault.Usagef("the value is not text in UTF-8, so it cannot be sent: byte %d", firstInvalid(c.Value)).
			WithHint("write it as base64, and decode it where it is used")
	case nested().MatchString(c.Value):
		return fault.Usagef("the value has {{ }} in it: the service refuses what looks like a reference to another parameter").
			WithHint("put a space between the braces, or write it as base64")
	}
	return nil
}

func firstInvalid(s string) int {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return len(s)
}

// TierFor predicts the tier that a parameter will have after c: that which was asked
// for, else the one it has; Advanced where only that holds it and the service may
// choose. Without a tier and a current parameter it is Standard, the service's default
// unless the account's setting says otherwise.
func TierFor(c Change, current *Parameter) string {
	was := current != nil && current.Tier == Advanced
	switch {
	case was, c.Tier == Advanced:
		return Advanced
	case c.Tier == Intelligent && (len(c.Value) > StandardBytes || hasPolicies(c, current)):
		return Advanced
	}
	return Standard
}

// hasPolicies reports whether the parameter will have policies.
func hasPolicies(c Change, current *Parameter) bool {
	if c.Policies == "" {
		return current != nil && len(current.Policies) > 0
	}
	list, err := ParsePolicies(c.Policies)
	return err != nil || len(list) > 0
}

func checkTier(c Change, current *Parameter) error {
	switch {
	case c.Tier != "" && !slices.Contains(Tiers, c.Tier):
		e := fault.Usagef("there is no tier %s", quoted(c.Tier))
		return e.WithHint("tiers are %s", strings.Join(Tiers, ", "))
	case c.Tier == Standard && current != nil && current.Tier == Advanced:
		return fault.Usagef("%s is in the advanced tier, from which the service lets none go back to the standard one", c.Name).
			WithHint("delete it and make it again, or leave the tier out")
	case (c.Tier != "" || current != Unknown) && hasPolicies(c, current) && TierFor(c, current) != Advanced:
		return fault.Usagef("policies are for parameters of the advanced tier").WithHint("add --tier advanced: it costs %s a month", AdvancedMonth)
	}
	return nil
}

func checkSize(c Change, current *Parameter) error {
	switch size := len(c.Value); {
	case size > AdvancedBytes:
		return fault.Usagef("the value has %d bytes; the advanced tier holds %d", size, AdvancedBytes).
			WithHint("keep it in Secrets Manager (64 KB) or S3, and its name here")
	case c.Tier == "" && current == Unknown:
	case size > StandardBytes && TierFor(c, current) == Standard:
		return fault.Usagef("the value has %d bytes; the standard tier holds %d", size, StandardBytes).
			WithHint("add --tier advanced: it holds %d, and costs %s a month", AdvancedBytes, AdvancedMonth)
	}
	return nil
}

// dataTypeOf is the data type that the parameter will have; empty when it is not known.
func dataTypeOf(c Change, current *Parameter) string {
	if c.DataType == "" && current != nil {
		return current.DataType
	}
	return c.DataType
}

func checkDataType(c Change, current *Parameter) error {
	kind, typ := dataTypeOf(c, current), typeOf(c, current)
	switch {
	case kind == "" || kind == TextData:
	case !slices.Contains(DataTypes, kind):
		e := fault.Usagef("there is no data type %s", quoted(kind))
		if low := strings.ToLower(kind); slices.Contains(DataTypes, low) {
			return e.WithHint("did you mean %s?", low)
		}
		return e.WithHint("data types are %s", strings.Join(DataTypes, ", "))
	case kind == ImageData && typ != String && typ != "":
		return fault.Usagef("the data type %s is for a String, not for a %s", kind, typ)
	}
	return nil
}

// checkImage is what the service would find out only after it has answered.
func checkImage(c Change, current *Parameter) error {
	if typ := typeOf(c, current); dataTypeOf(c, current) != ImageData || typ != String && typ != "" || c.Value == "" || imageID().MatchString(c.Value) {
		return nil
	}
	return fault.Usagef("the value is not the id of a machine image, as the data type %s wants", ImageData).
		WithHint("such an id is ami- and 17 characters 0-9 a-f, and nothing else, not even a line end")
}

func checkKey(c Change, current *Parameter) error {
	if c.KeyID == "" {
		return nil
	}
	switch n := len(c.KeyID); {
	case typeOf(c, current) != SecureString && typeOf(c, current) != "":
		return fault.Usagef("a key is for SecureStrings only").WithHint("add --secure, or leave the key out")
	case n > maxKeyID:
		return fault.Usagef("the key has %d characters; %d are allowed", n, maxKeyID)
	case !keyChars().MatchString(c.KeyID):
		return fault.Usagef("the key %s is no id, ARN or alias", quoted(c.KeyID)).WithHint("write alias/NAME, a key's id, or its ARN")
	}
	return nil
}

func checkPattern(c Change) error {
	if n := utf8.RuneCountInString(c.AllowedPattern); n > maxPattern {
		return fault.Usagef("the allowed pattern has %d characters; %d are allowed", n, maxPattern)
	}
	if _, err := allowed(c.AllowedPattern); err != nil {
		return fault.Usagef("the allowed pattern is no regular expression: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return nil
}

// checkMatch refuses a value in which the pattern is surely nowhere to be found. Whether
// the service wants the whole value to match, it decides.
func checkMatch(c Change, current *Parameter) error {
	expr, whose := c.AllowedPattern, "the allowed pattern"
	if current != nil && current.AllowedPattern != "" && !c.ClearPattern && (expr == "" || expr == current.AllowedPattern) {
		expr, whose = current.AllowedPattern, "the allowed pattern that the parameter has,"
	}
	re, err := allowed(expr)
	switch {
	case expr == "" || len(expr) > maxPattern || err != nil || re == nil || c.Value == "" || !utf8.ValidString(c.Value):
	case strings.Contains(c.Value, "\v") || !ascii(c.Value) && dialectual().MatchString(expr): // Java and Go may differ
	case !re.MatchString(c.Value) && !re.MatchString(strings.TrimRight(c.Value, "\r\n")):
		e := fault.Usagef("the value does not match %s %s", whose, quoted(expr))
		if strings.TrimSpace(c.Value) != c.Value {
			return e.WithHint("the value has space or a line end around it: is that meant?")
		}
		return e.WithHint("a new pattern can be given with the value: --allowed-pattern")
	}
	return nil
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

// CheckTags says what the service would refuse about tags.
func CheckTags(tags map[string]string) (faults []error) {
	if len(tags) > maxTags {
		faults = append(faults, fault.Usagef("%d tags; a parameter can have %d", len(tags), maxTags))
	}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		switch v := tags[k]; {
		case k == "":
			faults = append(faults, fault.Usagef("a tag without a key"))
		case utf8.RuneCountInString(k) > maxTagKey:
			faults = append(faults, fault.Usagef("the key of the tag %s has %d characters; %d are allowed", quoted(k), utf8.RuneCountInString(k), maxTagKey))
		case utf8.RuneCountInString(v) > maxTagValue:
			faults = append(faults, fault.Usagef("the value of the tag %s has %d characters; %d are allowed", quoted(k), utf8.RuneCountInString(v), maxTagValue))
		case strings.HasPrefix(strings.ToLower(k), "aws:"):
			faults = append(faults, fault.Usagef("the tag %s: keys that begin with aws: are for AWS alone", quoted(k)))
		case !tagChars().MatchString(k) || !tagChars().MatchString(v):
			faults = append(faults, fault.Usagef("the tag %s has a character that tags cannot have", quoted(k)).
				WithHint("letters, digits, spaces and _ . : / = + - @ are allowed in keys and values"))
		}
	}
	return faults
}

// Doubts says what the service takes and hardly anybody means, for people; it has no
// part of the value either.
func Doubts(c Change, current *Parameter) (list []string) {
	if typeOf(c, current) == StringList {
		for i, e := range strings.Split(c.Value, ",") {
			switch {
			case e == "":
				list = append(list, "element "+strconv.Itoa(i+1)+" of the list is empty")
			case strings.TrimSpace(e) != e:
				list = append(list, "element "+strconv.Itoa(i+1)+" of the list has space around it, which stays")
			}
		}
	}
	if n := len(list); n > 3 {
		list = append(list[:3], strconv.Itoa(n-3)+" more elements of the list are like that")
	}
	return append(list, policyDoubts(c.Policies, time.Now())...)
}
