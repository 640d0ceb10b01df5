package awsapi

import "strings"

// readPrefixes begin the names of operations that change nothing. The rule is
// checked against all 154 operations of SSM in the tests.
var readPrefixes = [...]string{"Describe", "Get", "List", "Validate", "Simulate"}

// Writes reports whether an API operation, by its name ("SendCommand"),
// changes anything. An unknown name counts as writing.
func Writes(operation string) bool {
	switch operation {
	case "GenerateDataKey", "Decrypt", "AssumeRole", "AssumeRoleWithWebIdentity":
		return false // they make keys and credentials for the caller alone
	case "FilterLogEvents":
		return false
	}
	for _, p := range readPrefixes {
		if strings.HasPrefix(operation, p) {
			return false
		}
	}
	return true
}

// repeatPrefixes begin the names of writes whose second run finds nothing left
// to do.
var repeatPrefixes = [...]string{
	"Cancel", "Delete", "Deregister", "Disassociate", "Remove", "Reset", "Resume", "Stop", "Terminate", "Unlabel",
}

// repeatable reports whether an operation may be sent again although the first
// try may have been carried out: reads, writes that only take away, and the
// five whose client token the SDK fills. The rest, SendCommand and
// StartSession first among them, would be done twice.
func repeatable(operation string) bool {
	if !Writes(operation) {
		return true
	}
	switch operation {
	case "CreateMaintenanceWindow", "CreatePatchBaseline", "DeleteInventory",
		"RegisterTargetWithMaintenanceWindow", "RegisterTaskWithMaintenanceWindow":
		return true
	case "SendSSHPublicKey", "PutObject", // the same key, the same object again
		"PutMetricAlarm", "PutConfigRule", "PutRule", "PutTargets",
		"CreateSecret": // package secrets gives each a client token
		return true
	}
	for _, p := range repeatPrefixes {
		if strings.HasPrefix(operation, p) {
			return true
		}
	}
	return false
}
