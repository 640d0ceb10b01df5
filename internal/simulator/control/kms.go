package control

import (
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/pattern"
	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

func kmsOperations() map[string]operation {
	keyed := func(run func(c *call, in request) (any, error)) operation {
		return operation{"kms", func(c *call, raw any) (any, error) {
			in, _ := raw.(map[string]any)
			return run(c, in)
		}}
	}
	return map[string]operation{
		"GenerateDataKey":     op("kms", (*call).generateDataKey),
		"Encrypt":             op("kms", (*call).encrypt),
		"Decrypt":             op("kms", (*call).decrypt),
		"DescribeKey":         keyed((*call).describeKey),
		"ListKeys":            keyed((*call).listKeys),
		"ListAliases":         keyed((*call).listAliases),
		"CreateKey":           keyed((*call).createKey),
		"CreateAlias":         keyed((*call).createAlias),
		"GetKeyPolicy":        keyed((*call).getKeyPolicy),
		"PutKeyPolicy":        keyed((*call).putKeyPolicy),
		"EnableKey":           keyed((*call).enableKey),
		"DisableKey":          keyed((*call).disableKey),
		"ScheduleKeyDeletion": keyed((*call).scheduleKeyDeletion),
		"CancelKeyDeletion":   keyed((*call).cancelKeyDeletion),
		"CreateGrant":         keyed((*call).createGrant),
		"ListGrants":          keyed((*call).listGrants),
		"RevokeGrant":         keyed((*call).revokeGrant),
	}
}

// keyFor finds a key that the caller may do something with. Only what encrypts and
// decrypts asks for its state.
func (c *call) keyFor(name, action string) (world.Key, error) {
	k, err := c.world.Key(name)
	if err != nil {
		return k, err
	}
	return k, c.world.UseKey(c.caller.ARN, k, "kms:"+action)
}

type generateDataKeyIn struct {
	KeyID             string            `json:"KeyId" api:"required,len=1..2048"`
	EncryptionContext map[string]string `json:"EncryptionContext"`
	NumberOfBytes     *int              `api:"range=1..1024"`
	KeySpec           string            `api:"enum=AES_256|AES_128"`
}

func (c *call) generateDataKey(in *generateDataKeyIn) (any, error) {
	size := map[string]int{"AES_256": 32, "AES_128": 16}[in.KeySpec]
	switch {
	case (in.NumberOfBytes == nil) == (in.KeySpec == ""):
		return nil, invalid("Please specify either number of bytes or key spec.")
	case in.NumberOfBytes != nil:
		size = *in.NumberOfBytes
	}
	k, err := c.keyFor(in.KeyID, "GenerateDataKey")
	if err != nil {
		return nil, err
	}
	plain := make([]byte, size)
	_, _ = rand.Read(plain) // never fails
	return struct {
		CiphertextBlob []byte
		Plaintext      []byte
		KeyID          string `json:"KeyId"`
	}{k.Seal(plain, in.EncryptionContext), plain, k.ARN}, nil
}

type encryptIn struct {
	KeyID             string            `json:"KeyId" api:"required,len=1..2048"`
	Plaintext         []byte            `api:"required,len=1..4096"`
	EncryptionContext map[string]string `json:"EncryptionContext"`
}

func (c *call) encrypt(in *encryptIn) (any, error) {
	k, err := c.keyFor(in.KeyID, "Encrypt")
	if err != nil {
		return nil, err
	}
	return struct {
		CiphertextBlob      []byte
		KeyID               string `json:"KeyId"`
		EncryptionAlgorithm string
	}{k.Seal(in.Plaintext, in.EncryptionContext), k.ARN, "SYMMETRIC_DEFAULT"}, nil
}

type decryptIn struct {
	CiphertextBlob      []byte            `api:"required,len=1..6144"`
	EncryptionContext   map[string]string `json:"EncryptionContext"`
	KeyID               string            `json:"KeyId" api:"len=1..2048"`
	EncryptionAlgorithm string            `api:"enum=SYMMETRIC_DEFAULT|RSAES_OAEP_SHA_1|RSAES_OAEP_SHA_256|SM2PKE"`
}

func (c *call) decrypt(in *decryptIn) (any, error) {
	plain, key, err := c.world.Open(in.CiphertextBlob, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	if in.KeyID != "" {
		if k, err := c.world.Key(in.KeyID); err != nil || k.ID != key.ID {
			return nil, world.Errorf("IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.")
		}
	}
	if err := c.world.UseKey(c.caller.ARN, key, "kms:Decrypt"); err != nil {
		return nil, err
	}
	return struct {
		Plaintext           []byte
		KeyID               string `json:"KeyId"`
		EncryptionAlgorithm string
	}{plain, key.ARN, "SYMMETRIC_DEFAULT"}, nil
}

// keyMetadata is a key as DescribeKey has it.
func (c *call) keyMetadata(k world.Key) world.Record {
	manager := "CUSTOMER"
	if k.Managed {
		manager = "AWS"
	}
	r := world.Record{
		"AWSAccountId": c.world.Account(), "KeyId": k.ID, "Arn": k.ARN, "CreationDate": epoch{k.Created}, "Enabled": k.State == world.KeyEnabled,
		"Description": k.Description, "KeyUsage": "ENCRYPT_DECRYPT", "KeyState": k.State, "Origin": "AWS_KMS", "KeyManager": manager,
		"CustomerMasterKeySpec": "SYMMETRIC_DEFAULT", "KeySpec": "SYMMETRIC_DEFAULT", "EncryptionAlgorithms": []string{"SYMMETRIC_DEFAULT"}, "MultiRegion": false,
	}
	if k.State == world.KeyPendingDeletion {
		r["DeletionDate"] = epoch{k.Deletion}
	}
	return r
}

func (c *call) describeKey(in request) (any, error) {
	k, err := c.world.Key(in.text("KeyId"))
	if err != nil {
		return nil, err
	}
	return world.Record{"KeyMetadata": c.keyMetadata(k)}, nil
}

// keyPage is a page in the form of KMS: Limit, Marker and Truncated.
func keyPage[T any](c *call, op, member string, items []T, key func(T) string, in request, def int) (any, error) {
	size := in.number("Limit", def)
	items, token, err := page(c, op, items, key, in.text("Marker"), &size, def)
	if err != nil {
		return nil, world.Errorf("InvalidMarkerException", "The marker is not valid.")
	}
	if items == nil {
		items = []T{}
	}
	out := world.Record{member: items, "Truncated": token != ""}
	if token != "" {
		out["NextMarker"] = token
	}
	return out, nil
}

func (c *call) listKeys(in request) (any, error) {
	type item struct {
		KeyID  string `json:"KeyId"`
		KeyARN string `json:"KeyArn"`
	}
	var items []item
	for _, k := range c.world.Keys() {
		items = append(items, item{k.ID, k.ARN})
	}
	return keyPage(c, "ListKeys", "Keys", items, func(i item) string { return i.KeyID }, in, 100)
}

func (c *call) listAliases(in request) (any, error) {
	type item struct {
		AliasName       string
		AliasARN        string `json:"AliasArn"`
		TargetKeyID     string `json:"TargetKeyId"`
		CreationDate    epoch
		LastUpdatedDate epoch
	}
	only := ""
	if name := in.text("KeyId"); name != "" {
		k, err := c.world.Key(name)
		if err != nil {
			return nil, err
		}
		only = k.ID
	}
	var items []item
	for _, k := range c.world.Keys() {
		for _, alias := range k.Aliases {
			if only == "" || only == k.ID {
				items = append(items, item{alias, c.world.ARN("kms", alias), k.ID, epoch{k.Created}, epoch{k.Created}})
			}
		}
	}
	slices.SortFunc(items, func(a, b item) int { return strings.Compare(a.AliasName, b.AliasName) })
	return keyPage(c, "ListAliases", "Aliases", items, func(i item) string { return i.AliasName }, in, 50)
}

func (c *call) createKey(in request) (any, error) {
	if spec := in.text("KeySpec"); spec != "" && spec != "SYMMETRIC_DEFAULT" {
		return nil, world.Errorf("UnsupportedOperationException", "The simulator has symmetric keys only.")
	}
	if policy := in.text("Policy"); policy != "" && !world.IsPolicy(policy) {
		return nil, world.Errorf("MalformedPolicyDocumentException", "The policy is not valid.")
	}
	k, err := c.world.CreateKey(in.text("Description"), in.text("Policy"))
	if err != nil {
		return nil, err
	}
	return world.Record{"KeyMetadata": c.keyMetadata(k)}, nil
}

var aliasForm = pattern.Lazy(`^alias/[a-zA-Z0-9/_-]{1,250}$`)

func (c *call) createAlias(in request) (any, error) {
	name := in.text("AliasName")
	if !aliasForm().MatchString(name) || strings.HasPrefix(name, "alias/aws/") {
		return nil, world.Errorf("InvalidAliasNameException", "Alias must start with the prefix \"alias/\". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html")
	}
	return empty(), c.world.AddAlias(name, in.text("TargetKeyId"))
}

func (c *call) getKeyPolicy(in request) (any, error) {
	k, err := c.world.Key(in.text("KeyId"))
	if err != nil {
		return nil, err
	}
	return world.Record{"Policy": k.Policy, "PolicyName": "default"}, nil
}

func (c *call) putKeyPolicy(in request) (any, error) {
	if !world.IsPolicy(in.text("Policy")) {
		return nil, world.Errorf("MalformedPolicyDocumentException", "The policy is not valid.")
	}
	return empty(), c.world.EditKey(in.text("KeyId"), func(k *world.Key) error {
		k.Policy = in.text("Policy")
		return nil
	})
}

// setKeyState changes the state of a key from one of some to another.
func (c *call) setKeyState(name, to string, from ...string) error {
	return c.world.EditKey(name, func(k *world.Key) error {
		if !slices.Contains(from, k.State) {
			return world.Errorf("KMSInvalidStateException", "%s is pending deletion.", k.ARN)
		}
		k.State, k.Deletion = to, time.Time{}
		return nil
	})
}

func (c *call) enableKey(in request) (any, error) {
	return empty(), c.setKeyState(in.text("KeyId"), world.KeyEnabled, world.KeyEnabled, world.KeyDisabled)
}

func (c *call) disableKey(in request) (any, error) {
	return empty(), c.setKeyState(in.text("KeyId"), world.KeyDisabled, world.KeyEnabled, world.KeyDisabled)
}

func (c *call) scheduleKeyDeletion(in request) (any, error) {
	days := in.number("PendingWindowInDays", 30)
	if days < 7 || days > 30 {
		return nil, invalid("1 validation error detected: Value at 'pendingWindowInDays' failed to satisfy constraint: Member must have value between 7 and 30")
	}
	var out world.Record
	err := c.world.EditKey(in.text("KeyId"), func(k *world.Key) error {
		if k.State == world.KeyPendingDeletion {
			return world.Errorf("KMSInvalidStateException", "%s is pending deletion.", k.ARN)
		}
		k.State, k.Deletion = world.KeyPendingDeletion, c.world.Now().AddDate(0, 0, days)
		out = world.Record{"KeyId": k.ARN, "DeletionDate": epoch{k.Deletion}, "KeyState": k.State, "PendingWindowInDays": days}
		return nil
	})
	return out, err
}

func (c *call) cancelKeyDeletion(in request) (any, error) {
	name := in.text("KeyId")
	if err := c.setKeyState(name, world.KeyDisabled, world.KeyPendingDeletion); err != nil {
		return nil, err
	}
	k, err := c.world.Key(name)
	return world.Record{"KeyId": k.ARN}, err
}
