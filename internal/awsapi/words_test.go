package awsapi

import "testing"

func TestInWords(t *testing.T) {
	for code, want := range map[string]string{
		"ResourceDataSyncAlreadyExistsException": "resource data sync already exists",
		"InvalidResourceType":                    "invalid resource type",
		"TargetInUseException":                   "target in use",
		"":                                       "",
	} {
		if got := inWords(code); got != want {
			t.Errorf("%s is %q, want %q", code, got, want)
		}
	}
}
