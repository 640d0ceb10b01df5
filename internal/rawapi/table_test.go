package rawapi

import (
	"context"
	"encoding/csv"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssmdeck/ssmdeck/internal/awsapi"
)

// operationMethods are the methods of the SDK's client that are operations.
func operationMethods() map[string]bool {
	methods := map[string]bool{}
	client := reflect.TypeFor[*ssm.Client]()
	for i := range client.NumMethod() {
		m := client.Method(i)
		t := m.Type
		if t.NumIn() == 4 && t.IsVariadic() && t.NumOut() == 2 && t.In(1) == reflect.TypeFor[context.Context]() &&
			t.In(2).Kind() == reflect.Pointer && t.In(2).Elem().Name() == m.Name+"Input" {
			methods[m.Name] = true
		}
	}
	return methods
}

func TestTableMatchesSDK(t *testing.T) {
	methods := operationMethods()
	inTable := map[string]bool{}
	for _, e := range table {
		if inTable[e.name] {
			t.Errorf("%s is in the table twice", e.name)
		}
		inTable[e.name] = true
		if !methods[e.name] {
			t.Errorf("%s is in the table and no operation of the SDK", e.name)
		}
	}
	for name := range methods {
		if !inTable[name] {
			t.Errorf("%s is not in the table: add `op((*ssm.Client).%s),` to table.go and its facts to facts.txt", name, name)
		}
	}
	facts := readFacts(factsText)
	for name, f := range facts {
		if !methods[name] {
			t.Errorf("facts.txt tells of %s, which is no operation of the SDK", name)
			continue
		}
		o, err := Find(name)
		if err != nil {
			t.Fatal(err)
		}
		for field := range f.fields {
			if o.Field(field) == nil {
				t.Errorf("facts.txt: %s has no field %s", name, field)
			}
		}
	}
	for name := range methods {
		if facts[name] == nil {
			t.Errorf("facts.txt says nothing about %s", name)
		}
	}
	t.Logf("%d operations, %d of the SDK", len(table), len(methods))
}

func TestWritesIsTheSameEverywhere(t *testing.T) {
	for _, o := range Operations() {
		if o.Writes != awsapi.Writes(o.Name) {
			t.Errorf("%s: facts say writes=%v, awsapi %v", o.Name, o.Writes, awsapi.Writes(o.Name))
		}
		if o.Destructive && !o.Writes {
			t.Errorf("%s destroys and does not write", o.Name)
		}
	}
}

// TestFlagsAreThoseOfTheAWSCLI compares every flag with the list of flags that the
// AWS CLI's naming makes.
func TestFlagsAreThoseOfTheAWSCLI(t *testing.T) {
	want := map[string]string{}
	raw, err := os.ReadFile("testdata/flags.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if words := strings.Fields(line); len(words) == 3 && words[0] != "#" {
			want[words[0]+"."+words[1]] = words[2]
		}
	}
	n := 0
	for _, o := range Operations() {
		for _, f := range o.Fields {
			n++
			if got := want[o.Name+"."+f.Name]; got != f.Flag {
				t.Errorf("%s.%s is --%s, want --%s", o.Name, f.Name, f.Flag, got)
			}
		}
	}
	if n != len(want) || n < 600 {
		t.Errorf("%d fields, the list has %d", n, len(want))
	}
	t.Logf("%d input fields", n)
}

func TestFactsAgreeWithTheTypes(t *testing.T) {
	for _, o := range Operations() {
		_, hasToken := o.entry.input.FieldByName("NextToken")
		_, answersToken := o.entry.output.FieldByName("NextToken")
		if o.Paged() != (hasToken && answersToken) {
			t.Errorf("%s: pages %v, tokens %v and %v", o.Name, o.Items, hasToken, answersToken)
		}
		for i, l := range listsOf(filled(o.entry.output), o.Items) {
			if !l.IsValid() || l.Kind() != reflect.Slice && l.Kind() != reflect.Map {
				t.Errorf("%s: %s is no list", o.Name, o.Items[i])
			}
		}
		for _, f := range o.Fields {
			if f.Min != nil && f.Max != nil && *f.Min > *f.Max {
				t.Errorf("%s.%s: %d..%d", o.Name, f.Name, *f.Min, *f.Max)
			}
			if f.Pattern != "" && f.Shape != Text {
				t.Errorf("%s.%s has a pattern and is no text", o.Name, f.Name)
			}
		}
	}
}

// TestSecretFieldsAreTheModels: what facts.txt calls secret is what the SDK's model
// marks.
func TestSecretFieldsAreTheModels(t *testing.T) {
	n := 0
	for _, o := range Operations() {
		for _, f := range o.Fields {
			in := reflect.New(o.entry.input).Elem()
			in.Field(f.index).Set(filled(f.typ))
			r := o.NewRequest(nil)
			r.input = in
			all := r.secrets()
			if f.Secret {
				n++
			}
			if f.Secret && len(all) == 0 {
				t.Errorf("%s.%s is secret here and not in the model", o.Name, f.Name)
			}
			if (f.Secret || f.Holds) != (len(all) > 0) {
				t.Errorf("%s.%s: secret %v, holds %v; the model has %d sensitive texts in it", o.Name, f.Name, f.Secret, f.Holds, len(all))
			}
		}
	}
	t.Logf("%d secret fields", n)
}

func TestKebab(t *testing.T) {
	for in, want := range map[string]string{
		"SendCommand": "send-command", "OutputS3BucketName": "output-s3-bucket-name", "OperationalData": "operational-data",
		"SSMName": "ssm-name", "Name": "name", "": "", "KMSKeyId": "kms-key-id",
	} {
		if got := kebab(in); got != want {
			t.Errorf("kebab(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestFindSuggests(t *testing.T) {
	for _, name := range []string{"SendCommand", "send-command"} {
		if o, err := Find(name); err != nil || o.Name != "SendCommand" {
			t.Errorf("Find(%q) = %v, %v", name, o, err)
		}
	}
	_, err := Find("list-command")
	if err == nil || !strings.Contains(err.Error(), "no operation") {
		t.Fatal(err)
	}
}

// TestOperationsCSV holds the facts against a second account of them.
func TestFactsAgreeWithTheOperationsTable(t *testing.T) {
	f, err := os.Open("../awsapi/testdata/ssm-operations.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		o, err := Find(row[0])
		if err != nil {
			t.Error(err)
			continue
		}
		var required []string
		for _, field := range o.Fields {
			if field.Required {
				required = append(required, field.Name)
			}
		}
		want := strings.Fields(row[5])
		if o.Family != row[1] || o.Destructive != (row[3] == "y") || o.Paged() != (row[4] != "no") || !sameWords(required, want) {
			t.Errorf("%s: %s destructive=%v required=%v, the table says %v", o.Name, o.Family, o.Destructive, required, row)
		}
	}
}

func sameWords(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	count := map[string]int{}
	for i := range a {
		count[a[i]]++
		count[b[i]]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}
