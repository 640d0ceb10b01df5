package control

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

func TestASecretIsDescribedByWhatItHas(t *testing.T) {
	f := newSecrets(t, `secrets: [{name: r, value: v, rotation_lambda: "arn:aws:lambda:us-east-1:123456789012:function:f", rotation_days: 30}]`)
	f.secret("CreateSecret", `{"Name":"empty"}`)
	got := f.secret("DescribeSecret", `{"SecretId":"empty"}`)
	if keys := slices.Sorted(maps.Keys(got)); !slices.Equal(keys, []string{"ARN", "CreatedDate", "LastChangedDate", "Name"}) {
		t.Errorf("one without a value: %v", keys)
	}
	f.secret("CancelRotateSecret", `{"SecretId":"r"}`)
	if got := f.secret("DescribeSecret", `{"SecretId":"r"}`); got["RotationEnabled"] != false || got["VersionIdsToStages"] == nil {
		t.Errorf("one that is no longer rotated: %v", got)
	}
	f.refused("DeleteSecret", `{"SecretId":"empty","RecoveryWindowInDays":6,"ForceDeleteWithoutRecovery":true}`, "InvalidParameterException", "between 7 and 30 days")
}

func TestTheFirstValueOfASecretIsItsCurrentOne(t *testing.T) {
	f := newSecrets(t, `{}`)
	f.refused("PutSecretValue", `{"SecretId":"s"}`, "InvalidRequestException", "either SecretString or SecretBinary")
	f.secret("CreateSecret", `{"Name":"s"}`)
	if got := f.secret("PutSecretValue", `{"SecretId":"s","SecretString":"v","VersionStages":["AWSPENDING"]}`); fmt.Sprint(got["VersionStages"]) != "[AWSPENDING AWSCURRENT]" {
		t.Errorf("got %v", got)
	}
	f.secret("CreateSecret", `{"Name":"t","SecretString":"v","ClientRequestToken":"`+tokenOne+`"}`)
	f.refused("CreateSecret", `{"Name":"t","SecretString":"w","ClientRequestToken":"`+tokenOne+`"}`, "ResourceExistsException", "already in use for a version of secret arn:")
	f.refused("CreateSecret", `{"Name":"t","SecretString":"v"}`, "ResourceExistsException", "the secret t already exists")
}

func TestTagsThatAreAllGoneAreAnEmptyList(t *testing.T) {
	f := newSecrets(t, `secrets: [{name: s, value: v}]`)
	if got := f.secret("DescribeSecret", `{"SecretId":"s"}`); got["Tags"] != nil {
		t.Errorf("never tagged: %v", got)
	}
	f.secret("TagResource", `{"SecretId":"s","Tags":[{"Key":"a","Value":"b"}]}`)
	f.secret("UntagResource", `{"SecretId":"s","TagKeys":["a"]}`)
	if got := f.secret("DescribeSecret", `{"SecretId":"s"}`); fmt.Sprint(got["Tags"]) != "[]" {
		t.Errorf("not tagged any more: %v", got)
	}
}

func TestASecretThatNeverWasCanBeDeletedByForce(t *testing.T) {
	f := newSecrets(t, `{}`)
	f.refused("DeleteSecret", `{"SecretId":"none"}`, "ResourceNotFoundException", "")
	if got := f.secret("DeleteSecret", `{"SecretId":"none","ForceDeleteWithoutRecovery":true}`); got["Name"] != "none" || got["DeletionDate"] == nil {
		t.Errorf("got %v", got)
	}
}
