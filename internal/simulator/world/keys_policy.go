package world

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

var accountID = pattern.Lazy(`^[0-9]{12}$`)

// keyUse is what users of a key may do with it.
var keyUse = []string{"kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"}

func policyDocument(statements ...map[string]any) string {
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		panic(err) // texts always encode
	}
	return string(text)
}

// keyPolicy is the policy of a key that a scenario gives none: the account decides,
// or, when users are named, these may use the key and the account only look after
// it. Users are names of users and roles, and ids of other accounts.
func keyPolicy(account string, users []string) string {
	root := map[string]any{"Sid": "Account", "Effect": "Allow", "Principal": map[string]any{"AWS": "arn:aws:iam::" + account + ":root"}, "Action": "kms:*", "Resource": "*"}
	if len(users) == 0 {
		return policyDocument(root)
	}
	var names []string
	for _, name := range users {
		if accountID().MatchString(name) {
			names = append(names, "arn:aws:iam::"+name+":root")
			continue
		}
		names = append(names, "arn:aws:iam::"+account+":role/"+name, "arn:aws:iam::"+account+":user/"+name)
	}
	root["Action"] = []string{"kms:Describe*", "kms:List*", "kms:Get*", "kms:Put*", "kms:Create*", "kms:Enable*", "kms:Disable*", "kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion"}
	return policyDocument(root, map[string]any{"Sid": "Users", "Effect": "Allow", "Principal": map[string]any{"AWS": names}, "Action": keyUse, "Resource": "*"})
}

// managedKeyPolicy is that of a key of AWS: everybody of the account may use it
// through the service.
func managedKeyPolicy(account string) string {
	return policyDocument(map[string]any{
		"Sid": "Allow access through Systems Manager for all principals in the account", "Effect": "Allow", "Principal": map[string]any{"AWS": "*"},
		"Action": keyUse, "Resource": "*", "Condition": map[string]any{"StringEquals": map[string]any{"kms:CallerAccount": account}},
	})
}

// UseKey says whether a caller may do something with a key of this account: its
// policy and that of the caller together, then its state. Errors are those of KMS.
func (w *World) UseKey(caller string, k Key, action string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.useKey(caller, k, action)
}

// useKey is UseKey for those who hold w.mu.
func (w *World) useKey(caller string, k Key, action string) error {
	if slices.ContainsFunc(append([]string{k.ARN}, k.Aliases...), func(name string) bool { return w.deniedOn(action, name) }) {
		return Errorf("AccessDeniedException", "User: %s is not authorized to perform: %s on resource: %s with an explicit deny in an identity-based policy", caller, action, k.ARN)
	}
	allowed, kind := w.keyAllows(caller, k, action)
	switch {
	case !allowed:
		return denied(caller, action, k.ARN, kind)
	case k.State == KeyDisabled:
		return Errorf("DisabledException", "%s is disabled.", k.ARN)
	case k.State == KeyPendingDeletion:
		return Errorf("KMSInvalidStateException", "%s is pending deletion.", k.ARN)
	}
	return nil
}

// keyAllows weighs the policy of a key; kind is of the policy that does not
// allow it. A caller of another account answers to its own policies there, which
// the simulator does not ask.
func (w *World) keyAllows(caller string, k Key, action string) (allowed bool, kind string) {
	own := accountOf(caller) == w.sc.Account
	if caller == "" { // the simulator itself
		return true, ""
	}
	kind = "resource-based"
	allowed = k.grants(caller, action)
	for _, s := range statementsOf(k.Policy) {
		if !s.covers(action, k.ARN) {
			continue
		}
		for _, principal := range s.principals() {
			ok, account := isFor(principal, caller)
			switch {
			case !ok, k.Managed && !own:
			case s.Effect == "Deny":
				return false, kind
			case account && own && w.enforcedNow(caller, action, k.ARN) != verdictAllow:
				kind = "identity-based"
			default:
				allowed = true
			}
		}
	}
	return allowed && (!own || w.enforcedNow(caller, action, k.ARN) != verdictDeny), kind
}

// grants reports whether a grant lets a caller do something.
func (k Key) grants(caller, action string) bool {
	return slices.ContainsFunc(k.Grants, func(g Grant) bool {
		ok, _ := isFor(g.Grantee, caller)
		return ok && slices.Contains(g.Operations, strings.TrimPrefix(action, "kms:"))
	})
}

// invalidKey is an error of KMS as Parameter Store passes it on (API reference,
// InvalidKeyId).
func invalidKey(err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	message := e.Message + " (Service: AWSKMS; Status Code: 400; Error Code: " + e.Code + "; Request ID: " + newUUID() + "; Proxy: null)"
	if e.Code == "AccessDeniedException" {
		return Errorf(e.Code, "%s", message)
	}
	return Errorf("InvalidKeyId", "%s", message)
}

// Reveal says whether a caller may see the value of a version that is sealed.
func (w *World) Reveal(caller string, v ParameterVersion) error {
	if v.Type != typeSecureString {
		return nil
	}
	k, err := w.Key(v.key)
	if err == nil {
		err = w.UseKey(caller, k, "kms:Decrypt")
	}
	if err != nil {
		return invalidKey(err)
	}
	return nil
}
