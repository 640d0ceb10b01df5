package parameter

import (
	"strings"
	"testing"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/fault"
)

func TestNamesThatTheServiceRefusesAreRefusedWithTheirReason(t *testing.T) {
	deep := strings.Repeat("/a", 15)
	for name, want := range map[string]string{
		"db-url": "", "/app/prod/db-url": "", "a.b_c-D9": "", deep: "", "/myaws": "", "/app/aws": "", "/app/ssm": "", "/" + strings.Repeat("x", 966): "",
		"":                                 "without a name",
		" /a":                              "begins or ends with a space",
		"/a b":                             `has " " in it`,
		"/a:3":                             `has ":" in it`,
		"/ä":                               `has "ä" in it`,
		"/a\x00":                           `has "\x00" in it`,
		"/a%s":                             `has "%" in it`,
		"/":                                "nothing but slashes",
		"/a//b":                            "two slashes in a row",
		"/a/":                              "ends with a slash",
		"a/b":                              "no slash before the first",
		"aws-thing":                        "begins with aws",
		"/AWS/thing":                       "begins with AWS",
		"/Ssmdeck/x":                       "begins with Ssm",
		deep + "/b":                        "16 levels; 15 are allowed",
		"/" + strings.Repeat("x", 967):     "968 characters",
		"arn:aws:ssm:r:1:parameter/a":      "is an ARN",
		"/app/{{x}}":                       `has "{" in it`,
		strings.Repeat("a", 300) + " long": `has " " in it`,
	} {
		err := CheckName(name)
		switch {
		case want == "" && err != nil:
			t.Errorf("%q is refused: %v", name, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || fault.KindOf(err) != fault.Usage):
			t.Errorf("%q: %v, not %q", name, err, want)
		}
	}
}

// TestTheRepairOfANameIsOne takes the hint, which is a name again.
func TestTheRepairOfANameIsOne(t *testing.T) {
	for name, want := range map[string]string{
		"ssm/x": "/app/ssm/x", "aws//x": "/app/aws/x", "/aws/x/": "/app/aws/x", "a/b": "/a/b", "/a//b": "/a/b", "/a/": "/a",
	} {
		hint := fault.HintOf(CheckName(name))
		if !strings.HasSuffix(hint, " "+want) {
			t.Errorf("%s: the hint is %q, not one that ends with %s", name, hint, want)
		}
		if err := CheckName(want); err != nil {
			t.Errorf("%s: the repair is refused: %v", name, err)
		}
	}
}

func TestPathsAndLabels(t *testing.T) {
	for path, want := range map[string]string{
		"/": "", "/app": "", "/app/": "", "/aws/service/ami": "",
		"": "without a name", "app": "does not begin with a slash", "/a//b": "two slashes", "/a b": `" "`, "/a ": "space",
		strings.Repeat("/a", 16): "16 levels",
	} {
		if err := CheckPath(path); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("path %q: %v, not %q", path, err, want)
		}
	}
	for label, want := range map[string]string{
		"prod": "", "v1.2_x-y": "", strings.Repeat("l", 100): "",
		"": "without a name", "1st": "begins with a digit", "AWSx": "begins with AWS", "ssm": "begins with ssm", "a b": `" "`, "a/b": `"/"`,
		strings.Repeat("l", 101): "101 characters",
	} {
		if err := CheckLabel(label); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("label %q: %v, not %q", label, err, want)
		}
	}
	if got := CheckLabels(strings.Fields("a b c d e f g h i j k 1")); len(got) != 2 {
		t.Errorf("11 labels and a bad one are %d faults: %v", len(got), got)
	}
}

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func TestEachRuleOfAChangeHasItsMessage(t *testing.T) {
	text := &Parameter{Name: "/a", Type: String, Tier: Standard}
	advanced := &Parameter{Name: "/a", Type: String, Tier: Advanced, Policies: []Policy{{Type: NoChangeNotification, Text: `{}`}}}
	kib := func(n int) string { return strings.Repeat("x", n<<10) }
	policy := func(p string) Change {
		return Change{Name: "/a", Value: "v", Type: String, Tier: Advanced, Policies: p}
	}
	for _, c := range []struct {
		is      string
		change  Change
		current *Parameter
		want    string // empty: nothing is wrong
	}{
		{"plain", Change{Name: "/a", Value: "v", Type: String}, nil, ""},
		{"new version without a type", Change{Name: "/a", Value: "v", Overwrite: true}, text, ""},
		{"no type", Change{Name: "/a", Value: "v"}, nil, "a new parameter needs a type"},
		{"no such type", Change{Name: "/a", Value: "v", Type: "string"}, nil, "there is no type string"},
		{"another type", Change{Name: "/a", Value: "v", Type: SecureString, Overwrite: true}, text, "type of a parameter cannot be changed"},
		{"empty", Change{Name: "/a", Type: String}, nil, "the value is empty"},
		{"bytes", Change{Name: "/a", Value: "ab\xff", Type: String}, nil, "not text in UTF-8, so it cannot be sent: byte 2"},
		{"a reference", Change{Name: "/a", Value: "x {{ssm:b}}", Type: String}, nil, "has {{ }} in it"},
		{"a zero byte is text", Change{Name: "/a", Value: "a\x00b\n", Type: String}, nil, ""},
		{"4 KiB", Change{Name: "/a", Value: kib(4), Type: String}, nil, ""},
		{"4 KiB in bytes", Change{Name: "/a", Value: strings.Repeat("ä", 2049), Type: String}, nil, "has 4098 bytes; the standard tier holds 4096"},
		{"5 KiB, advanced", Change{Name: "/a", Value: kib(5), Type: String, Tier: Advanced}, nil, ""},
		{"5 KiB, intelligent", Change{Name: "/a", Value: kib(5), Type: String, Tier: Intelligent}, nil, ""},
		{"5 KiB, advanced already", Change{Name: "/a", Value: kib(5), Overwrite: true}, advanced, ""},
		{"9 KiB", Change{Name: "/a", Value: kib(9), Type: String, Tier: Intelligent}, nil, "the advanced tier holds 8192"},
		{"no such tier", Change{Name: "/a", Value: "v", Type: String, Tier: "cheap"}, nil, "there is no tier cheap"},
		{"downgrade", Change{Name: "/a", Value: "v", Tier: Standard, Overwrite: true}, advanced, "lets none go back"},
		{"data type", Change{Name: "/a", Value: "v", Type: String, DataType: "Text"}, nil, "there is no data type Text"},
		{"image", Change{Name: "/a", Value: "ami-0123456789abcdef0", Type: String, DataType: ImageData}, nil, ""},
		{"no image", Change{Name: "/a", Value: "ami-1", Type: String, DataType: ImageData}, nil, "not the id of a machine image"},
		{"list of images", Change{Name: "/a", Value: "ami-01234567", Type: StringList, DataType: ImageData}, nil, "is for a String"},
		{"key", Change{Name: "/a", Value: "v", Type: SecureString, KeyID: "alias/app"}, nil, ""},
		{"key of a string", Change{Name: "/a", Value: "v", Type: String, KeyID: "alias/app"}, nil, "a key is for SecureStrings only"},
		{"bad key", Change{Name: "/a", Value: "v", Type: SecureString, KeyID: "my key"}, nil, `"my key" is no id`},
		{"long key", Change{Name: "/a", Value: "v", Type: SecureString, KeyID: kib(1)}, nil, "256 are allowed"},
		{"description", Change{Name: "/a", Value: "v", Type: String, Description: kib(1) + "x"}, nil, "1025 characters"},
		{"pattern", Change{Name: "/a", Value: "12", Type: String, AllowedPattern: `^\d+$`}, nil, ""},
		{"pattern with a line end", Change{Name: "/a", Value: "12\n", Type: String, AllowedPattern: `^\d+$`}, nil, ""},
		{"mismatch", Change{Name: "/a", Value: "x", Type: String, AllowedPattern: `^\d+$`}, nil, "does not match the allowed pattern"},
		{"mismatch of what it has", Change{Name: "/a", Value: "x", Overwrite: true}, &Parameter{Type: String, AllowedPattern: `^\d+$`}, "pattern that the parameter has, "},
		{"pattern of Java's", Change{Name: "/a", Value: "x", Type: String, AllowedPattern: `^(?=y)`}, nil, ""},
		{"no pattern", Change{Name: "/a", Value: "x", Type: String, AllowedPattern: `(`}, nil, "is no regular expression"},
		{"long pattern", Change{Name: "/a", Value: "x", Type: String, AllowedPattern: kib(2)}, nil, "1024 are allowed"},
		{"tags with a new version", Change{Name: "/a", Value: "x", Overwrite: true, Tags: map[string]string{"a": "b"}}, text, "tags together with a new version"},
		{"tag", Change{Name: "/a", Value: "x", Type: String, Tags: map[string]string{"aws:x": "b"}}, nil, "for AWS alone"},
		{"tag characters", Change{Name: "/a", Value: "x", Type: String, Tags: map[string]string{"a": "b;"}}, nil, "a character that tags cannot have"},
		{"policies of a standard one", Change{Name: "/a", Value: "x", Type: String, Policies: `[{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"After":"5","Unit":"Days"}}]`}, nil, "policies are for parameters of the advanced tier"},
		{"no policies of a standard one", Change{Name: "/a", Value: "x", Type: String, Policies: NoPolicies}, nil, ""},
		{"policy", policy(`[{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2026-12-01T00:00:00.000Z"}}]`), nil, ""},
		{"offset", policy(`[{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2026-12-01T00:00+10:30"}}]`), nil, ""},
		{"no JSON", policy(`x`), nil, "no JSON array"},
		{"empty array", policy(`[]`), nil, "an empty array"},
		{"two arrays", policy(`[{}][{}]`), nil, "go on behind"},
		{"past", policy(`[{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2026-01-01T00:00:00Z"}}]`), nil, "has passed"},
		{"no zone", policy(`[{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2027-01-01T00:00:00"}}]`), nil, "is no moment"},
		{"policy type", policy(`[{"Type":"Expire","Version":"1.0"}]`), nil, "has the type Expire"},
		{"policy version", policy(`[{"Type":"Expiration","Version":"2"}]`), nil, `has the version "2"`},
		{"unit", policy(`[{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"After":"5","Unit":"Weeks"}}]`), nil, "the Unit is Weeks"},
		{"amount", policy(`[{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"After":"0","Unit":"Days"}}]`), nil, "not a number of at least 1"},
		{"attribute", policy(`[{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"Unit":"Days"}}]`), nil, "no attribute After"},
		{"notice alone", policy(`[{"Type":"ExpirationNotification","Version":"1.0","Attributes":{"Before":"1","Unit":"Days"}}]`), nil, "and no expiration"},
		{"eleven", policy("[" + strings.Repeat(`{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"After":"1","Unit":"Days"}},`, 10) + `{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"After":"1","Unit":"Days"}}]`), nil, "11 policies"},
	} {
		faults := checkChange(c.change, c.current, noon)
		switch {
		case c.want == "" && len(faults) > 0:
			t.Errorf("%s: refused: %v", c.is, faults)
		case c.want != "" && (len(faults) != 1 || !strings.Contains(faults[0].Error(), c.want)):
			t.Errorf("%s: %v, not one with %q", c.is, faults, c.want)
		}
		for _, err := range faults {
			if fault.KindOf(err) != fault.Usage {
				t.Errorf("%s: %v is no Usage error", c.is, err)
			}
		}
	}
	all := checkChange(Change{Name: "/a//b", Type: "x", Tier: "y", DataType: "z", KeyID: " "}, nil, noon)
	if len(all) != 6 {
		t.Errorf("six faults are %d: %v", len(all), all)
	}
}

func TestDoubtsTellWhatIsHardlyMeant(t *testing.T) {
	got := Doubts(Change{Type: StringList, Value: "a,, b,c,,,"}, nil)
	if len(got) != 4 || got[0] != "element 2 of the list is empty" || !strings.Contains(got[1], "space around it") {
		t.Errorf("%q", got)
	}
	soon := PoliciesText([]Terms{{Type: Expiration, At: time.Now().Add(time.Hour)}, {Type: ExpirationNotification, Amount: 2, Unit: "Days"}})
	if got := Doubts(Change{Type: String, Value: "v", Policies: soon}, nil); len(got) != 1 || got[0] != "the notice 2 days before the expiration is due already" {
		t.Errorf("%q", got)
	}
}

func TestPoliciesAreWrittenAsTheyAreRead(t *testing.T) {
	list := []Terms{{Type: Expiration, At: noon}, {Type: ExpirationNotification, Amount: 15, Unit: "Days"}, {Type: NoChangeNotification, Amount: 20, Unit: "Hours"}}
	text := PoliciesText(list)
	got, err := ParsePolicies(text)
	if err != nil || len(got) != 3 || !got[0].At.Equal(noon) || got[1].Span() != 360*time.Hour || got[2].Span() != 20*time.Hour {
		t.Fatalf("%v, %v of %s", got, err, text)
	}
	if again := PoliciesText(got); again != text {
		t.Errorf("%s\n%s", again, text)
	}
	if PoliciesText(nil) != NoPolicies {
		t.Error("no policies are not [{}]")
	}
}

func FuzzCheckChange(f *testing.F) {
	f.Add("/a", "v", "String", "Advanced", "k", "^a$", "text", `[{}]`, "tag")
	f.Fuzz(func(t *testing.T, name, value, typ, tier, key, expr, data, policies, tag string) {
		c := Change{
			Name: name, Value: value, Type: typ, Tier: tier, KeyID: key, AllowedPattern: expr, DataType: data, Policies: policies,
			Tags: map[string]string{tag: tag}, Overwrite: len(value)%2 == 0,
		}
		for _, err := range append(CheckChange(c, nil), CheckChange(c, &Parameter{Type: typ, Tier: Advanced, AllowedPattern: expr})...) {
			if err == nil || fault.KindOf(err) != fault.Usage || err.Error() == "" {
				t.Fatalf("%#v is no error to show", err)
			}
		}
		Doubts(c, nil)
		CheckLabel(tag)
		CheckPath(name)
	})
}

func TestAPlaceIsOneWithItsSlashAndWithoutIt(t *testing.T) {
	for name, want := range map[string]string{"a": "/a", "/a": "/a", "/a/b": "/a/b"} {
		if got := Place(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}
