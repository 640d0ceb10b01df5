package control

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

// AWS Secrets Manager, public API model 2017-10-17.
const (
	secretsTarget  = "secretsmanager"
	secretsService = "secretsmanager"

	secretsPage = 100 // of ListSecrets and ListSecretVersionIds
)

func secretOperations() map[string]operation {
	return map[string]operation{
		"CreateSecret":                 op(secretsService, (*call).createSecret),
		"DescribeSecret":               op(secretsService, (*call).describeSecret),
		"ListSecrets":                  op(secretsService, (*call).listSecrets),
		"DeleteSecret":                 op(secretsService, (*call).deleteSecret),
		"RestoreSecret":                op(secretsService, (*call).restoreSecret),
		"TagResource":                  op(secretsService, (*call).tagSecret),
		"UntagResource":                op(secretsService, (*call).untagSecret),
		"PutResourcePolicy":            op(secretsService, (*call).putSecretPolicy),
		"GetResourcePolicy":            op(secretsService, (*call).getSecretPolicy),
		"DeleteResourcePolicy":         op(secretsService, (*call).deleteSecretPolicy),
		"ReplicateSecretToRegions":     op(secretsService, (*call).replicateSecret),
		"RemoveRegionsFromReplication": op(secretsService, (*call).unreplicateSecret),
		"RotateSecret":                 op(secretsService, (*call).rotateSecret),
		"CancelRotateSecret":           op(secretsService, (*call).cancelRotateSecret),

		"GetSecretValue":           op(secretsService, (*call).getSecretValue),
		"BatchGetSecretValue":      op(secretsService, (*call).batchGetSecretValue),
		"PutSecretValue":           op(secretsService, (*call).putSecretValue),
		"UpdateSecret":             op(secretsService, (*call).updateSecret),
		"UpdateSecretVersionStage": op(secretsService, (*call).updateSecretVersionStage),
		"ListSecretVersionIds":     op(secretsService, (*call).listSecretVersionIDs),
		"GetRandomPassword":        op(secretsService, (*call).getRandomPassword),
	}
}

type secretTag struct {
	Key   string `api:"len=1..128"`
	Value string `api:"len=0..256"`
}

func secretTags(tags []secretTag) map[string]string {
	if len(tags) == 0 {
		return nil
	}
	m := map[string]string{}
	for _, t := range tags {
		m[t.Key] = t.Value
	}
	return m
}

// tagsShown are tags in order; nil for what never had any, which shows no list at all.
func tagsShown(tags map[string]string) (list []secretTag) {
	if tags != nil {
		list = []secretTag{}
	}
	for k, v := range tags {
		list = append(list, secretTag{k, v})
	}
	slices.SortFunc(list, func(a, b secretTag) int { return strings.Compare(a.Key, b.Key) })
	return list
}

type secretReplicaIn struct {
	Region   string `api:"len=1..128" pattern:"^([a-z]+-)+\\d+$"`
	KmsKeyID string `json:"KmsKeyId" api:"len=0..2048"`
}

func replicasOf(in []secretReplicaIn) (out []world.SecretReplica) {
	for _, r := range in {
		out = append(out, world.SecretReplica{Region: r.Region, KeyID: r.KmsKeyID})
	}
	return out
}

type replicaStatus struct {
	Region        string
	KmsKeyID      string `json:"KmsKeyId,omitempty"`
	Status        string
	StatusMessage string
}

func replicasShown(replicas []world.SecretReplica) (list []replicaStatus) {
	for _, r := range replicas {
		list = append(list, replicaStatus{r.Region, r.KeyID, "InSync", "Replication succeeded"})
	}
	return list
}

// secretID is what most answers begin with.
type secretID struct {
	ARN               string
	Name              string
	VersionID         string          `json:"VersionId,omitempty"`
	ReplicationStatus []replicaStatus `json:"ReplicationStatus,omitempty"`
}

func idOf(s world.Secret, version string) secretID {
	return secretID{ARN: s.ARN, Name: s.Name, VersionID: version}
}

type createSecretIn struct {
	Name                        string `api:"required,len=1..512"`
	ClientRequestToken          string `api:"len=32..64"`
	Description                 string `api:"len=0..2048"`
	KmsKeyID                    string `json:"KmsKeyId" api:"len=0..2048"`
	SecretString                *string
	SecretBinary                []byte
	Tags                        []secretTag
	AddReplicaRegions           []secretReplicaIn
	ForceOverwriteReplicaSecret bool
}

func (c *call) createSecret(in *createSecretIn) (any, error) {
	if err := c.secretKey(in.KmsKeyID, "kms:GenerateDataKey", "EncryptionFailure"); err != nil {
		return nil, err
	}
	s, err := c.world.CreateSecret(world.NewSecret{
		Name: in.Name, Description: in.Description, KeyID: in.KmsKeyID, Token: in.ClientRequestToken, Text: in.SecretString,
		Binary: in.SecretBinary, Tags: secretTags(in.Tags), Replicas: replicasOf(in.AddReplicaRegions),
	})
	if err != nil {
		return nil, err
	}
	out := idOf(s, "")
	if len(s.Versions) > 0 {
		out.VersionID = s.Versions[0].ID
	}
	out.ReplicationStatus = replicasShown(s.Replicas)
	return out, nil
}

type secretIDIn struct {
	SecretID string `json:"SecretId" api:"required,len=1..2048"`
}

type rotationRules struct {
	AutomaticallyAfterDays int    `json:"AutomaticallyAfterDays,omitempty" api:"range=1..1000"`
	Duration               string `json:"Duration,omitempty" api:"len=2..3" pattern:"[0-9h]+"`
	ScheduleExpression     string `json:"ScheduleExpression,omitempty" api:"len=1..256"`
}

// secretMetadata is a secret without its value, of DescribeSecret and ListSecrets.
type secretMetadata struct {
	ARN               string
	Name              string
	Description       string          `json:"Description,omitempty"`
	KmsKeyID          string          `json:"KmsKeyId,omitempty"`
	RotationEnabled   *bool           `json:"RotationEnabled,omitempty"` // only when there is a function for it
	RotationLambdaARN string          `json:"RotationLambdaARN,omitempty"`
	RotationRules     *rotationRules  `json:"RotationRules,omitempty"`
	LastRotatedDate   *epoch          `json:"LastRotatedDate,omitempty"`
	LastChangedDate   *epoch          `json:"LastChangedDate,omitempty"`
	LastAccessedDate  *epoch          `json:"LastAccessedDate,omitempty"`
	DeletedDate       *epoch          `json:"DeletedDate,omitempty"`
	NextRotationDate  *epoch          `json:"NextRotationDate,omitempty"`
	CreatedDate       *epoch          `json:"CreatedDate,omitempty"`
	Tags              []secretTag     `json:"Tags,omitzero"`
	PrimaryRegion     string          `json:"PrimaryRegion,omitempty"`
	ReplicationStatus []replicaStatus `json:"ReplicationStatus,omitempty"`
}

// timeOrNone is a time on the wire; nil when it is none.
func timeOrNone(t time.Time) *epoch {
	if t.IsZero() {
		return nil
	}
	return &epoch{t}
}

func (c *call) metadataOfSecret(s world.Secret) secretMetadata {
	m := secretMetadata{
		ARN: s.ARN, Name: s.Name, Description: s.Description, KmsKeyID: s.KeyID,
		RotationLambdaARN: s.Rotation.LambdaARN, LastRotatedDate: timeOrNone(s.Rotation.Rotated), LastChangedDate: timeOrNone(s.Changed),
		LastAccessedDate: timeOrNone(s.Accessed), DeletedDate: timeOrNone(s.Deletes), NextRotationDate: timeOrNone(s.Rotation.Next),
		CreatedDate: timeOrNone(s.Created), Tags: tagsShown(s.Tags), ReplicationStatus: replicasShown(s.Replicas),
	}
	if s.Rotation.LambdaARN != "" {
		m.RotationEnabled = &s.Rotation.Enabled
		m.RotationRules = &rotationRules{s.Rotation.Days, s.Rotation.Duration, s.Rotation.Schedule}
	}
	if m.PrimaryRegion = s.Primary; len(s.Replicas) > 0 {
		m.PrimaryRegion = c.world.Region()
	}
	return m
}

func stagesOf(s world.Secret) map[string][]string {
	stages := map[string][]string{}
	for _, v := range s.Versions {
		if len(v.Stages) > 0 {
			stages[v.ID] = v.Stages
		}
	}
	return stages
}

func (c *call) describeSecret(in *secretIDIn) (any, error) {
	s, err := c.world.Secret(in.SecretID)
	if err != nil {
		return nil, err
	}
	return struct {
		secretMetadata
		VersionIDsToStages map[string][]string `json:"VersionIdsToStages,omitempty"` // a list has another name for it
	}{c.metadataOfSecret(s), stagesOf(s)}, nil
}

type deleteSecretIn struct {
	SecretID                   string `json:"SecretId" api:"required,len=1..2048"`
	RecoveryWindowInDays       *int
	ForceDeleteWithoutRecovery bool
}

func (c *call) deleteSecret(in *deleteSecretIn) (any, error) {
	days := 0
	if in.RecoveryWindowInDays != nil {
		if days = *in.RecoveryWindowInDays; days == 0 {
			days = -1 // given, and wrong
		}
	}
	s, at, err := c.world.DeleteSecret(in.SecretID, days, in.ForceDeleteWithoutRecovery)
	if err != nil {
		return nil, err
	}
	return struct {
		ARN, Name    string
		DeletionDate epoch
	}{s.ARN, s.Name, epoch{at}}, nil
}

func (c *call) restoreSecret(in *secretIDIn) (any, error) {
	s, err := c.world.RestoreSecret(in.SecretID)
	if err != nil {
		return nil, err
	}
	return idOf(s, ""), nil
}

type tagSecretIn struct {
	SecretID string      `json:"SecretId" api:"required,len=1..2048"`
	Tags     []secretTag `api:"required"`
}

func (c *call) tagSecret(in *tagSecretIn) (any, error) {
	return empty(), c.world.TagSecret(in.SecretID, secretTags(in.Tags))
}

type untagSecretIn struct {
	SecretID string   `json:"SecretId" api:"required,len=1..2048"`
	TagKeys  []string `api:"required,len=1..128"`
}

func (c *call) untagSecret(in *untagSecretIn) (any, error) {
	return empty(), c.world.UntagSecret(in.SecretID, in.TagKeys)
}

type putSecretPolicyIn struct {
	SecretID          string `json:"SecretId" api:"required,len=1..2048"`
	ResourcePolicy    string `api:"required,len=1..20480"`
	BlockPublicPolicy bool
}

func (c *call) putSecretPolicy(in *putSecretPolicyIn) (any, error) {
	var parsed struct {
		Statement []struct{ Principal any }
	}
	if json.Unmarshal([]byte(in.ResourcePolicy), &parsed) != nil || len(parsed.Statement) == 0 {
		return nil, world.Errorf("MalformedPolicyDocumentException", "This resource policy contains invalid Json.")
	}
	for _, s := range parsed.Statement {
		m, _ := s.Principal.(map[string]any)
		if in.BlockPublicPolicy && (s.Principal == "*" || m["AWS"] == "*") {
			return nil, world.Errorf("PublicPolicyException", "You can't attach a resource policy that allows broad access to the secret.")
		}
	}
	s, err := c.world.SetSecretPolicy(in.SecretID, in.ResourcePolicy)
	if err != nil {
		return nil, err
	}
	return idOf(s, ""), nil
}

func (c *call) getSecretPolicy(in *secretIDIn) (any, error) {
	s, err := c.world.Secret(in.SecretID)
	if err != nil {
		return nil, err
	}
	return struct {
		ARN, Name      string
		ResourcePolicy string `json:"ResourcePolicy,omitempty"`
	}{s.ARN, s.Name, s.Policy}, nil
}

func (c *call) deleteSecretPolicy(in *secretIDIn) (any, error) {
	s, err := c.world.SetSecretPolicy(in.SecretID, "")
	if err != nil {
		return nil, err
	}
	return idOf(s, ""), nil
}

type replicateSecretIn struct {
	SecretID                    string            `json:"SecretId" api:"required,len=1..2048"`
	AddReplicaRegions           []secretReplicaIn `api:"required,items=1..1000"`
	ForceOverwriteReplicaSecret bool
}

func (c *call) replicateSecret(in *replicateSecretIn) (any, error) {
	s, err := c.world.ReplicateSecret(in.SecretID, replicasOf(in.AddReplicaRegions), in.ForceOverwriteReplicaSecret)
	return replicationOf(s), err
}

func replicationOf(s world.Secret) any {
	return struct {
		ARN               string
		ReplicationStatus []replicaStatus
	}{s.ARN, append([]replicaStatus{}, replicasShown(s.Replicas)...)}
}

type unreplicateSecretIn struct {
	SecretID             string   `json:"SecretId" api:"required,len=1..2048"`
	RemoveReplicaRegions []string `api:"required,items=1..1000,len=1..128"`
}

func (c *call) unreplicateSecret(in *unreplicateSecretIn) (any, error) {
	s, err := c.world.RemoveReplicas(in.SecretID, in.RemoveReplicaRegions)
	return replicationOf(s), err
}

type rotateSecretIn struct {
	SecretID           string `json:"SecretId" api:"required,len=1..2048"`
	ClientRequestToken string `api:"len=32..64"`
	RotationLambdaARN  string `api:"len=0..2048"`
	RotationRules      rotationRules
	RotateImmediately  *bool
}

func (c *call) rotateSecret(in *rotateSecretIn) (any, error) {
	if in.RotationRules.AutomaticallyAfterDays != 0 && in.RotationRules.ScheduleExpression != "" {
		return nil, world.Errorf("InvalidParameterException", "You can't set both AutomaticallyAfterDays and ScheduleExpression in the rotation rules.")
	}
	s, version, err := c.world.RotateSecret(in.SecretID, in.ClientRequestToken, world.SecretRotation{
		LambdaARN: in.RotationLambdaARN, Days: in.RotationRules.AutomaticallyAfterDays,
		Schedule: in.RotationRules.ScheduleExpression, Duration: in.RotationRules.Duration,
	}, in.RotateImmediately != nil && !*in.RotateImmediately)
	if err != nil {
		return nil, err
	}
	return idOf(s, version), nil
}

func (c *call) cancelRotateSecret(in *secretIDIn) (any, error) {
	s, err := c.world.CancelRotation(in.SecretID)
	if err != nil {
		return nil, err
	}
	version := ""
	for _, v := range s.Versions {
		if slices.Contains(v.Stages, world.SecretPending) && !slices.Contains(v.Stages, world.SecretCurrent) {
			version = v.ID
		}
	}
	return idOf(s, version), nil
}
