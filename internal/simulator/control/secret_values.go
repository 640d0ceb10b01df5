package control

import (
	"slices"
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

type getSecretValueIn struct {
	SecretID     string `json:"SecretId" api:"required,len=1..2048"`
	VersionID    string `json:"VersionId" api:"len=32..64"`
	VersionStage string `api:"len=1..256"`
}

type secretValue struct {
	ARN           string
	Name          string
	VersionID     string   `json:"VersionId"`
	SecretString  *string  `json:"SecretString,omitempty"`
	SecretBinary  []byte   `json:"SecretBinary,omitempty"`
	VersionStages []string `json:"VersionStages,omitempty"`
	CreatedDate   epoch
}

func valueOf(s world.Secret, v world.SecretVersion) secretValue {
	return secretValue{s.ARN, s.Name, v.ID, v.Text, v.Binary, v.Stages, epoch{v.Created}}
}

// openSecret reads a version of a secret for the caller, who needs GetSecretValue on
// it, also for BatchGetSecretValue, and its key.
func (c *call) openSecret(id, version, stage string) (world.Secret, world.SecretVersion, error) {
	if err := c.mayOnSecret("GetSecretValue", id); err != nil {
		return world.Secret{}, world.SecretVersion{}, err
	}
	s, v, err := c.world.SecretValue(id, version, stage)
	if err == nil {
		err = c.secretKey(s.KeyID, "kms:Decrypt", "DecryptionFailure")
	}
	return s, v, err
}

func (c *call) getSecretValue(in *getSecretValueIn) (any, error) {
	s, v, err := c.openSecret(in.SecretID, in.VersionID, in.VersionStage)
	if err != nil {
		return nil, err
	}
	return valueOf(s, v), nil
}

type secretFilter struct {
	Key    string   `api:"enum=description|name|tag-key|tag-value|primary-region|owning-service|all"`
	Values []string `api:"items=1..10,len=0..512"`
}

// matches holds a secret against a filter: its values are the beginnings of words, and
// one that begins with ! must not be there (API reference, Filter).
func (f secretFilter) matches(s world.Secret, region string) bool {
	var have []string
	all := f.Key == "all"
	if all || f.Key == "name" {
		have = append(have, s.Name)
	}
	if all || f.Key == "description" {
		have = append(have, wordsOf(s.Description)...)
	}
	for k, v := range s.Tags {
		if all || f.Key == "tag-key" {
			have = append(have, k)
		}
		if all || f.Key == "tag-value" {
			have = append(have, v)
		}
	}
	if f.Key == "primary-region" && len(s.Replicas) > 0 {
		have = append(have, region)
	}
	begins := func(want string) bool {
		return slices.ContainsFunc(have, func(h string) bool {
			if f.Key == "description" || f.Key == "all" {
				h, want = strings.ToLower(h), strings.ToLower(want)
			}
			return strings.HasPrefix(h, want)
		})
	}
	return slices.ContainsFunc(f.Values, func(v string) bool {
		if not, ok := strings.CutPrefix(v, "!"); ok {
			return !begins(not)
		}
		return begins(v)
	})
}

// wordsOf are the rests of a text from each of its words on.
func wordsOf(text string) (rests []string) {
	fields := strings.Fields(text)
	for i := range fields {
		rests = append(rests, strings.Join(fields[i:], " "))
	}
	return rests
}

type listSecretsIn struct {
	IncludePlannedDeletion bool
	MaxResults             *int `api:"range=1..100"`
	NextToken              string
	Filters                []secretFilter `api:"items=0..10"`
	SortOrder              string         `api:"enum=asc|desc"`
	SortBy                 string         `api:"enum=created-date|last-accessed-date|last-changed-date|name"`
}

func (c *call) filteredSecrets(filters []secretFilter, deleted bool) []world.Secret {
	return slices.DeleteFunc(c.world.Secrets(), func(s world.Secret) bool {
		return !deleted && !s.Deletes.IsZero() ||
			slices.ContainsFunc(filters, func(f secretFilter) bool { return !f.matches(s, c.world.Region()) })
	})
}

// secretsPaged is page with the error of the service for a bad token.
func secretsPaged[T any](c *call, op string, items []T, key func(T) string, token string, size *int, def int) ([]T, string, error) {
	list, next, err := page(c, op, items, key, token, size, def)
	if err != nil {
		return nil, "", world.Errorf("InvalidNextTokenException", "Invalid Token")
	}
	return list, next, nil
}

func (c *call) listSecrets(in *listSecretsIn) (any, error) {
	list := c.filteredSecrets(in.Filters, in.IncludePlannedDeletion)
	slices.SortStableFunc(list, func(a, b world.Secret) int {
		switch in.SortBy {
		case "name":
			return strings.Compare(a.Name, b.Name)
		case "last-accessed-date":
			return a.Accessed.Compare(b.Accessed)
		case "last-changed-date":
			return a.Changed.Compare(b.Changed)
		}
		return a.Created.Compare(b.Created)
	})
	if in.SortOrder != "asc" {
		slices.Reverse(list)
	}
	list, token, err := secretsPaged(c, "ListSecrets", list, func(s world.Secret) string { return s.ARN }, in.NextToken, in.MaxResults, secretsPage)
	if err != nil {
		return nil, err
	}
	type item struct {
		secretMetadata
		SecretVersionsToStages map[string][]string `json:"SecretVersionsToStages,omitempty"`
	}
	out := struct {
		SecretList []item
		NextToken  string `json:"NextToken,omitempty"`
	}{[]item{}, token}
	for _, s := range list {
		out.SecretList = append(out.SecretList, item{c.metadataOfSecret(s), stagesOf(s)})
	}
	return out, nil
}

type batchGetSecretValueIn struct {
	SecretIDList []string       `json:"SecretIdList" api:"items=1..20,len=1..2048"`
	Filters      []secretFilter `api:"items=0..10"`
	MaxResults   *int           `api:"range=1..20"`
	NextToken    string
}

func (c *call) batchGetSecretValue(in *batchGetSecretValueIn) (any, error) {
	ids := in.SecretIDList
	switch {
	case len(ids) > 0 && len(in.Filters) > 0, len(ids) == 0 && len(in.Filters) == 0:
		return nil, world.Errorf("InvalidParameterException", "Either 'SecretIdList' or 'Filters' must be provided, but not both.")
	case len(ids) > 0 && in.MaxResults != nil:
		return nil, world.Errorf("InvalidParameterException", "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided.")
	case len(ids) == 0:
		for _, s := range c.filteredSecrets(in.Filters, false) {
			ids = append(ids, s.ARN)
		}
	}
	ids, token, err := secretsPaged(c, "BatchGetSecretValue", ids, func(id string) string { return id }, in.NextToken, in.MaxResults, 20)
	if err != nil {
		return nil, err
	}
	type failure struct {
		SecretID  string `json:"SecretId"`
		ErrorCode string
		Message   string
	}
	out := struct {
		SecretValues []secretValue
		Errors       []failure
		NextToken    string `json:"NextToken,omitempty"`
	}{[]secretValue{}, []failure{}, token}
	for _, id := range ids {
		s, v, err := c.openSecret(id, "", "")
		if err != nil {
			e := asAPIError(err)
			out.Errors = append(out.Errors, failure{id, e.Code, e.Message})
			continue
		}
		out.SecretValues = append(out.SecretValues, valueOf(s, v))
	}
	return out, nil
}

type putSecretValueIn struct {
	SecretID           string `json:"SecretId" api:"required,len=1..2048"`
	ClientRequestToken string `api:"len=32..64"`
	SecretString       *string
	SecretBinary       []byte
	VersionStages      []string `api:"items=1..20,len=1..256"`
}

func (c *call) putSecretValue(in *putSecretValueIn) (any, error) {
	token := in.ClientRequestToken
	if token == "" {
		token = world.NewUUID()
	}
	if old, err := c.world.Secret(in.SecretID); err == nil {
		if err := c.secretKey(old.KeyID, "kms:GenerateDataKey", "EncryptionFailure"); err != nil {
			return nil, err
		}
	}
	s, err := c.world.PutSecretValue(in.SecretID, token, in.SecretString, in.SecretBinary, in.VersionStages)
	if err != nil {
		return nil, err
	}
	out := struct {
		ARN, Name     string
		VersionID     string `json:"VersionId"`
		VersionStages []string
	}{s.ARN, s.Name, token, nil}
	for _, v := range s.Versions {
		if v.ID == token {
			out.VersionStages = append([]string{}, v.Stages...)
		}
	}
	return out, nil
}

type updateSecretIn struct {
	SecretID           string  `json:"SecretId" api:"required,len=1..2048"`
	ClientRequestToken string  `api:"len=32..64"`
	Description        *string `api:"len=0..2048"`
	KmsKeyID           *string `json:"KmsKeyId" api:"len=0..2048"`
	SecretString       *string
	SecretBinary       []byte
}

func (c *call) updateSecret(in *updateSecretIn) (any, error) {
	token := ""
	if in.SecretString != nil || in.SecretBinary != nil {
		if token = in.ClientRequestToken; token == "" {
			token = world.NewUUID()
		}
	}
	s, err := c.world.UpdateSecret(in.SecretID, token, in.Description, in.KmsKeyID, in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	return idOf(s, token), nil
}

type updateSecretVersionStageIn struct {
	SecretID            string `json:"SecretId" api:"required,len=1..2048"`
	VersionStage        string `api:"required,len=1..256"`
	RemoveFromVersionID string `json:"RemoveFromVersionId" api:"len=32..64"`
	MoveToVersionID     string `json:"MoveToVersionId" api:"len=32..64"`
}

func (c *call) updateSecretVersionStage(in *updateSecretVersionStageIn) (any, error) {
	s, err := c.world.MoveStage(in.SecretID, in.VersionStage, in.RemoveFromVersionID, in.MoveToVersionID)
	if err != nil {
		return nil, err
	}
	return idOf(s, ""), nil
}

type listSecretVersionIDsIn struct {
	SecretID          string `json:"SecretId" api:"required,len=1..2048"`
	IncludeDeprecated bool
	MaxResults        *int `api:"range=1..100"`
	NextToken         string
}

func (c *call) listSecretVersionIDs(in *listSecretVersionIDsIn) (any, error) {
	s, err := c.world.Secret(in.SecretID)
	if err != nil {
		return nil, err
	}
	versions := slices.DeleteFunc(s.Versions, func(v world.SecretVersion) bool { return len(v.Stages) == 0 && !in.IncludeDeprecated })
	versions, token, err := secretsPaged(c, "ListSecretVersionIds "+s.ARN, versions, func(v world.SecretVersion) string { return v.ID }, in.NextToken, in.MaxResults, secretsPage)
	if err != nil {
		return nil, err
	}
	type item struct {
		VersionID        string   `json:"VersionId"`
		VersionStages    []string `json:"VersionStages,omitempty"`
		CreatedDate      epoch
		LastAccessedDate *epoch   `json:"LastAccessedDate,omitempty"`
		KmsKeyIDs        []string `json:"KmsKeyIds"`
	}
	key := s.KeyID
	if key == "" {
		key = "DefaultEncryptionKey"
	}
	out := struct {
		Versions  []item
		ARN, Name string
		NextToken string `json:"NextToken,omitempty"`
	}{[]item{}, s.ARN, s.Name, token}
	for _, v := range versions {
		out.Versions = append(out.Versions, item{v.ID, v.Stages, epoch{v.Created}, timeOrNone(v.Accessed), []string{key}})
	}
	return out, nil
}

type getRandomPasswordIn struct {
	PasswordLength          *int   `api:"range=1..4096"`
	ExcludeCharacters       string `api:"len=0..4096"`
	ExcludeLowercase        bool
	ExcludeUppercase        bool
	ExcludeNumbers          bool
	ExcludePunctuation      bool
	IncludeSpace            bool
	RequireEachIncludedType *bool
}

func (c *call) getRandomPassword(in *getRandomPasswordIn) (any, error) {
	length, each := 32, in.RequireEachIncludedType == nil || *in.RequireEachIncludedType
	if in.PasswordLength != nil {
		length = *in.PasswordLength
	}
	var kinds []string
	for _, k := range []struct {
		skip  bool
		chars string
	}{
		{in.ExcludeLowercase, "abcdefghijklmnopqrstuvwxyz"},
		{in.ExcludeUppercase, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
		{in.ExcludeNumbers, "0123456789"},
		{in.ExcludePunctuation, "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"},
		{!in.IncludeSpace, " "},
	} {
		chars := strings.Map(func(r rune) rune {
			if strings.ContainsRune(in.ExcludeCharacters, r) {
				return -1
			}
			return r
		}, k.chars)
		if !k.skip && chars != "" {
			kinds = append(kinds, chars)
		}
	}
	all := strings.Join(kinds, "")
	switch {
	case all == "":
		return nil, world.Errorf("InvalidParameterException", "The password can't be generated: all characters are excluded.")
	case each && length < len(kinds):
		return nil, world.Errorf("InvalidParameterException", "The password length %d is too short based on the required types.", length)
	}
	for {
		password := world.RandomText(length, all)
		if !each || !slices.ContainsFunc(kinds, func(k string) bool { return !strings.ContainsAny(password, k) }) {
			return struct{ RandomPassword string }{password}, nil
		}
	}
}
