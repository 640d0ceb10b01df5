package world

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// Limits of Parameter Store (API reference, PutParameter; User Guide, "Managing
// parameter tiers").
const (
	standardValue      = 4 << 10 // bytes
	advancedValue      = 8 << 10 // bytes
	standardParameters = 10_000
	advancedParameters = 100_000
	parameterDepth     = 15
	parameterMemory    = 100 // versions
	parameterName      = 1011
)

// The tiers of parameters, and what asks the service to choose.
const (
	tierStandard    = "Standard"
	tierAdvanced    = "Advanced"
	tierIntelligent = "Intelligent-Tiering"
)

// The types of parameters that matter here.
const (
	typeString       = "String"
	typeSecureString = "SecureString"
)

// The data types of parameters (API reference, PutParameter).
const (
	dataText        = "text"
	dataImage       = "aws:ec2:image"
	dataIntegration = "aws:ssm:integration"
)

// Parameter is a parameter with its versions.
type Parameter struct {
	Name     string
	Versions []ParameterVersion // ascending, never empty
	Tags     map[string]string
}

// ParameterVersion is one version of a parameter.
type ParameterVersion struct {
	Number         int64
	Type           string // String, StringList, SecureString
	Value          string // the plain value
	Sealed         string // SecureString: what is shown without decryption
	KeyID          string // SecureString: as the user gave it
	Description    string
	AllowedPattern string
	Tier           string // Standard, Advanced
	DataType       string
	Labels         []string
	Policies       []ParameterPolicy
	Modified       time.Time
	User           string // ARN of who wrote it

	key string // SecureString: id of the key
}

// Latest is the newest version.
func (p *Parameter) Latest() ParameterVersion { return p.Versions[len(p.Versions)-1] }

// NewParameter is what PutParameter is given; User is the caller's ARN.
type NewParameter struct {
	Name, Value, Type, KeyID, Tier, DataType, User string
	// Description and AllowedPattern stay what they were when nil.
	Description, AllowedPattern *string
	// Policies is a JSON list, which takes the place of the one before unless it
	// is empty.
	Policies  string
	Overwrite bool
	Tags      map[string]string
}

// PutParameter makes a parameter or, with Overwrite, a new version of it.
func (w *World) PutParameter(p NewParameter) (ParameterVersion, error) {
	p.Name = strings.TrimSpace(p.Name)
	if err := w.checkNew(&p); err != nil {
		return ParameterVersion{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.putParameter(p)
}

// nestedReference is what looks like another parameter (API reference,
// PutParameter: values in double brackets are not taken).
var nestedReference = pattern.Lazy(`\{\{[^{}]*\}\}`)

// checkNew refuses what can be told without a look at what there is.
func (w *World) checkNew(p *NewParameter) error {
	p.Name = w.parameterKey(p.Name)
	if err := w.checkName(p.Name); err != nil {
		return err
	}
	switch {
	case p.Value == "":
		return Errorf("ValidationException", "1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1.")
	case nestedReference().MatchString(p.Value):
		return Errorf("ValidationException", "Parameter value can't nest another parameter. Do not use \"{{}}\" in the value.")
	case p.Overwrite && len(p.Tags) > 0:
		return Errorf("ValidationException", "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.")
	case !slices.Contains([]string{"", dataText, dataImage, dataIntegration}, p.DataType):
		return Errorf("ValidationException", "The following data type is not supported: %s (Data type names are all lowercase.)", p.DataType)
	}
	return CheckTags(p.Tags)
}

// putParameter is PutParameter for those who hold w.mu.
func (w *World) putParameter(p NewParameter) (ParameterVersion, error) {
	old, exists := w.params.get(p.Name)
	switch {
	case exists && !p.Overwrite:
		return ParameterVersion{}, Errorf("ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
	case !exists && p.Type == "":
		return ParameterVersion{}, Errorf("ValidationException", "A parameter type is required when you create a parameter.")
	case !exists && w.tooSoon(p.Name):
		return ParameterVersion{}, Errorf("TooManyUpdates", "There are concurrent updates for a resource that supports one update at a time.")
	}
	last := ParameterVersion{}
	if exists {
		p.Name, last = old.Name, old.Latest()
	}
	v, err := w.newVersion(p, last)
	if err != nil {
		return v, err
	}
	if exists && len(old.Versions) >= parameterMemory && len(old.Versions[0].Labels) > 0 {
		return v, Errorf("ParameterMaxVersionLimitExceeded", "You attempted to create a new version of %s by calling the PutParameter API with the overwrite flag. Version %d, the oldest version, can't be deleted because it has a label associated with it. Move the label to another version of the parameter, and try again.", p.Name, old.Versions[0].Number)
	}
	if v.DataType == dataImage && !w.seeding {
		w.agenda.soon(func() { w.checkImage(p.Name, p.Tags, v) })
		return v, nil
	}
	w.keepVersion(p.Name, p.Tags, v)
	return v, nil
}

// keepVersion adds a version that has passed all checks. Callers hold w.mu.
func (w *World) keepVersion(name string, tags map[string]string, v ParameterVersion) {
	p, exists := w.params.get(name)
	operation := "Update"
	if !exists {
		operation = "Create"
		p = &Parameter{Name: name, Tags: maps.Clone(tags)}
		w.params.add(p)
	}
	if v.Tier == tierAdvanced && (!exists || p.Latest().Tier != tierAdvanced) {
		w.params.advanced++
	}
	if len(p.Versions) >= parameterMemory {
		p.Versions = p.Versions[1:]
	}
	p.Versions = append(p.Versions, v)
	w.changed(p.Name, v, operation, "")
	w.planPolicies(p)
}

// newVersion checks p and makes the version after last. Callers hold w.mu.
func (w *World) newVersion(p NewParameter, last ParameterVersion) (ParameterVersion, error) {
	v := ParameterVersion{
		Number: last.Number + 1, Type: p.Type, Value: p.Value, Description: last.Description,
		AllowedPattern: last.AllowedPattern, DataType: p.DataType, Modified: w.now(), User: p.User,
	}
	fill(&v.Type, last.Type)
	fill(&v.DataType, dataText)
	if p.Description != nil {
		v.Description = *p.Description
	}
	if p.AllowedPattern != nil {
		v.AllowedPattern = *p.AllowedPattern
	}
	if last.Type != "" && last.Type != v.Type {
		return v, Errorf("HierarchyTypeMismatchException", "Parameter Store does not support changing a parameter type in a hierarchy. For example, you can't change a parameter from a String type to a SecureString type. You must create a new, unique parameter.")
	}
	if v.DataType == dataImage && v.Type != typeString {
		return v, Errorf("ValidationException", "Data type %s is supported for parameters of type String only.", dataImage)
	}
	var err error
	if v.Policies, err = w.newPolicies(p.Policies, last.Policies, v.Modified); err != nil {
		return v, err
	}
	if v.Tier, err = w.chooseTier(p, v, last); err != nil {
		return v, err
	}
	if err := checkAllowed(v.AllowedPattern, v.Value); err != nil {
		return v, err
	}
	if v.Type == typeSecureString {
		return w.seal(v, p)
	}
	if p.KeyID != "" {
		return v, Errorf("ValidationException", "KeyId is required for SecureString type parameter only.")
	}
	return v, nil
}

// checkAllowed holds a value against an allowed pattern.
func checkAllowed(allowed, value string) error {
	if allowed == "" {
		return nil
	}
	if _, err := regexp.Compile(allowed); err != nil {
		return Errorf("InvalidAllowedPatternException", "The request does not meet the regular expression requirement.")
	}
	if !fullMatch(allowed, value) {
		return Errorf("ParameterPatternMismatchException", "Parameter value, cannot be validated against allowedPattern: %s", allowed)
	}
	return nil
}

// chooseTier is the tier of a new version. What asks for none gets the account's
// default; a parameter of the advanced tier stays one. Callers hold w.mu.
func (w *World) chooseTier(p NewParameter, v, last ParameterVersion) (string, error) {
	size, asked, created := len(v.Value), p.Tier, last.Tier == ""
	standard := len(w.params.places) - w.params.advanced
	full := created && standard >= standardParameters
	if asked == "" {
		asked = w.settings[SettingDefaultTier].Value
		if last.Tier == tierAdvanced {
			asked = tierAdvanced
		}
	}
	if asked == tierIntelligent {
		asked = tierStandard
		if last.Tier == tierAdvanced || size > standardValue || len(v.Policies) > 0 || full {
			asked = tierAdvanced
		}
	}
	switch {
	case asked == tierAdvanced && size > advancedValue:
		return "", Errorf("ValidationException", "Advanced tier parameters support a maximum parameter value of %d characters.", advancedValue)
	case asked == tierAdvanced && last.Tier != tierAdvanced && w.params.advanced >= advancedParameters,
		asked == tierStandard && full:
		return "", Errorf("ParameterLimitExceeded", "You have exceeded the number of parameters for this AWS account. Delete one or more parameters and try again.")
	case asked == tierAdvanced:
		return asked, nil
	case last.Tier == tierAdvanced:
		return "", Errorf("ValidationException", "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced parameter and recreate it as a standard parameter.")
	case size > standardValue:
		return "", Errorf("ValidationException", "Standard tier parameters support a maximum parameter value of %d characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html", standardValue)
	case len(v.Policies) > 0:
		return "", Errorf("ValidationException", "Parameter policies are supported by the advanced-parameter tier only.")
	}
	return tierStandard, nil
}

// seal encrypts a new version with the key that was asked for, or with AWS's own:
// not with the key of the version before.
func (w *World) seal(v ParameterVersion, p NewParameter) (ParameterVersion, error) {
	v.KeyID = p.KeyID
	fill(&v.KeyID, defaultParameterKey)
	k, err := w.Key(v.KeyID)
	if err != nil {
		return v, invalidKey(err)
	}
	action := "kms:Encrypt"
	if v.Tier == tierAdvanced {
		action = "kms:GenerateDataKey"
	}
	if !w.seeding { // a scenario may have what nobody could make
		if err := w.useKey(p.User, k, action); err != nil {
			return v, invalidKey(err)
		}
	}
	v.key = k.ID
	v.Sealed = encode64(k.Seal([]byte(v.Value), map[string]string{"PARAMETER_ARN": w.ParameterARN(p.Name)}))
	return v, nil
}

// DeleteParameter removes a parameter, and reports whether it was there.
func (w *World) DeleteParameter(name string) bool {
	w.mu.Lock()
	p, ok := w.params.get(w.parameterKey(name))
	if ok {
		w.dropParameter(p)
	}
	w.mu.Unlock()
	if ok {
		w.unshare(w.ParameterARN(p.Name))
	}
	return ok
}

// dropParameter removes a parameter. Callers hold w.mu, and call unshare when they
// do not any more.
func (w *World) dropParameter(p *Parameter) {
	w.params.remove(p)
	w.agenda.drop(policyEvent(p.Name))
	if w.sc.ParameterStore.RecreateAfter > 0 {
		w.deleted[placeOf(p.Name)] = w.now()
	}
	w.changed(p.Name, p.Latest(), "Delete", "")
}

// tooSoon reports whether the scenario has a deleted parameter not made again
// yet. Callers hold w.mu.
func (w *World) tooSoon(name string) bool {
	at, ok := w.deleted[placeOf(name)]
	return ok && w.now().Before(at.Add(w.sc.ParameterStore.RecreateAfter))
}

func copyParameter(p *Parameter) *Parameter {
	c := *p
	c.Versions = slices.Clone(p.Versions)
	c.Tags = maps.Clone(p.Tags)
	return &c
}
