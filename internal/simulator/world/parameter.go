package world

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ssmdeck/ssmdeck/internal/pattern"
)

// Limits of Parameter Store (API reference, PutParameter).
const (
	standardValue   = 4 << 10 // bytes
	advancedValue   = 8 << 10 // bytes
	parameterDepth  = 15
	parameterMemory = 100 // versions
	parameterName   = 1011
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
	Modified       time.Time
	User           string // ARN of who wrote it
}

// Latest is the newest version.
func (p *Parameter) Latest() ParameterVersion { return p.Versions[len(p.Versions)-1] }

// NewParameter is what PutParameter is given; User is the caller's ARN.
type NewParameter struct {
	Name, Value, Type, KeyID, Description string
	AllowedPattern, Tier, DataType, User  string
	Overwrite                             bool
	Tags                                  map[string]string
}

func (w *World) addParameters() error {
	for _, s := range w.sc.Parameters {
		_, err := w.PutParameter(NewParameter{
			Name: s.Name, Value: s.Value, Type: s.Type, KeyID: s.Key, Description: s.Description,
			Tags: s.Tags, User: "arn:aws:iam::" + w.sc.Account + ":user/scenario",
		})
		if err != nil {
			return err
		}
	}
	return nil
}

var parameterChars = pattern.Lazy(`^[a-zA-Z0-9_.\-/]+$`)

// checkName refuses what the service refuses about a new parameter's name.
func (w *World) checkName(name string) error {
	first, _, _ := strings.Cut(strings.TrimPrefix(name, "/"), "/")
	lower := strings.ToLower(first)
	switch {
	case !parameterChars().MatchString(name):
		return Errorf("ValidationException", "Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_")
	case strings.HasPrefix(lower, "aws"), strings.HasPrefix(lower, "ssm"):
		return Errorf("ValidationException", "Parameter name: can't be prefixed with %q (case-insensitive).", lower[:3])
	case strings.Contains(name, "/") && !strings.HasPrefix(name, "/"):
		return Errorf("ValidationException", "Parameter name must be a fully qualified name.")
	case strings.HasSuffix(name, "/"), strings.Contains(name, "//"):
		return Errorf("ValidationException", "Parameter name must not end with slash or have empty parts.")
	case strings.Count(name, "/") > parameterDepth:
		return Errorf("HierarchyLevelLimitExceededException", "Parameter name exceeds the maximum of %d levels.", parameterDepth)
	case len(w.ARN("ssm", "parameter/"+strings.TrimPrefix(name, "/"))) > parameterName:
		return Errorf("ValidationException", "Parameter name is longer than %d characters.", parameterName)
	}
	return nil
}

// PutParameter makes a parameter or, with Overwrite, a new version of it.
func (w *World) PutParameter(p NewParameter) (ParameterVersion, error) {
	var v ParameterVersion
	p.Name = strings.TrimSpace(p.Name)
	if err := w.checkName(p.Name); err != nil {
		return v, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	old, exists := w.params[p.Name]
	switch {
	case exists && !p.Overwrite:
		return v, Errorf("ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
	case p.Overwrite && len(p.Tags) > 0:
		return v, Errorf("ValidationException", "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.")
	case !exists && p.Type == "":
		return v, Errorf("ValidationException", "A parameter type is required when you create a parameter.")
	}
	var last ParameterVersion
	if exists {
		last = old.Latest()
	}
	v, err := w.newVersion(p, last)
	if err != nil {
		return v, err
	}
	if !exists {
		old = &Parameter{Name: p.Name, Tags: maps.Clone(p.Tags)}
		w.params[p.Name] = old
	}
	if len(old.Versions) >= parameterMemory {
		if len(old.Versions[0].Labels) > 0 {
			return v, Errorf("ParameterMaxVersionLimitExceeded", "The oldest version of parameter %s has a label and can't be dropped.", p.Name)
		}
		old.Versions = old.Versions[1:]
	}
	old.Versions = append(old.Versions, v)
	return v, nil
}

// newVersion checks p and makes the version after last. Callers hold w.mu.
func (w *World) newVersion(p NewParameter, last ParameterVersion) (ParameterVersion, error) {
	v := ParameterVersion{
		Number: last.Number + 1, Type: p.Type, Value: p.Value, Description: p.Description,
		AllowedPattern: p.AllowedPattern, Tier: p.Tier, DataType: p.DataType, Modified: w.now(), User: p.User,
	}
	if v.Type == "" {
		v.Type = last.Type
	}
	if v.DataType == "" {
		v.DataType = "text"
	}
	if last.Type != "" && last.Type != v.Type {
		return v, Errorf("HierarchyTypeMismatchException", "Parameter type can't be changed. Create a new, unique parameter instead.")
	}
	if v.Tier == "" && last.Tier == "" {
		v.Tier = w.settings[SettingDefaultTier].Value
	}
	if err := v.setTier(last); err != nil {
		return v, err
	}
	if v.AllowedPattern != "" {
		if _, err := regexp.Compile(v.AllowedPattern); err != nil {
			return v, Errorf("InvalidAllowedPatternException", "The request does not meet the regular expression requirement.")
		}
		if !fullMatch(v.AllowedPattern, v.Value) {
			return v, Errorf("ParameterPatternMismatchException", "Parameter value, cannot be validated against allowedPattern: %s", v.AllowedPattern)
		}
	}
	if v.Type == "SecureString" {
		return w.seal(v, p, last)
	}
	if p.KeyID != "" {
		return v, Errorf("ValidationException", "KeyId is required for SecureString type parameter only.")
	}
	return v, nil
}

func (v *ParameterVersion) setTier(last ParameterVersion) error {
	size, asked := len(v.Value), v.Tier
	switch {
	case v.Value == "":
		return Errorf("ValidationException", "1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1.")
	case !utf8.ValidString(v.Value):
		return Errorf("ValidationException", "Parameter value is not valid text.")
	case asked == "" || asked == "Intelligent-Tiering":
		v.Tier = "Standard"
		if last.Tier == "Advanced" || asked != "" && size > standardValue {
			v.Tier = "Advanced"
		}
	case asked == "Standard" && last.Tier == "Advanced":
		return Errorf("ValidationException", "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier to the standard-parameter tier.")
	}
	limit, tier := standardValue, "Standard"
	if v.Tier == "Advanced" {
		limit, tier = advancedValue, "Advanced"
	}
	if size > limit {
		return Errorf("ValidationException", "%s tier parameters support a maximum parameter value of %d characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier.", tier, limit)
	}
	return nil
}

func (w *World) seal(v ParameterVersion, p NewParameter, last ParameterVersion) (ParameterVersion, error) {
	v.KeyID = p.KeyID
	if v.KeyID == "" {
		v.KeyID = last.KeyID
	}
	if v.KeyID == "" {
		v.KeyID = "alias/aws/ssm"
	}
	k, err := w.Key(v.KeyID)
	if err != nil {
		return v, Errorf("InvalidKeyId", "%v", err)
	}
	sealed := k.Seal([]byte(v.Value), map[string]string{"PARAMETER_ARN": w.ParameterARN(p.Name)})
	v.Sealed = encode64(sealed)
	return v, nil
}

// ParameterARN is the ARN of a parameter.
func (w *World) ParameterARN(name string) string {
	return w.ARN("ssm", "parameter/"+strings.TrimPrefix(name, "/"))
}

// Parameter finds a parameter by name or ARN.
func (w *World) Parameter(name string) (*Parameter, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, ok := w.params[w.parameterKey(name)]
	if !ok {
		return nil, false
	}
	return copyParameter(p), true
}

// parameterKey turns an ARN into a name.
func (w *World) parameterKey(name string) string {
	_, rest, ok := strings.Cut(name, ":parameter/")
	if !ok || !strings.HasPrefix(name, "arn:") {
		return name
	}
	if _, ok := w.params["/"+rest]; ok {
		return "/" + rest
	}
	return rest
}

func copyParameter(p *Parameter) *Parameter {
	c := *p
	c.Versions = slices.Clone(p.Versions)
	c.Tags = maps.Clone(p.Tags)
	return &c
}

// Select finds a parameter by name and, after a colon, a version number or a
// label. selector is that part with its colon, or empty.
func (w *World) Select(name string) (p *Parameter, v ParameterVersion, selector string, err error) {
	base := name
	if i := strings.LastIndex(name, ":"); i > 0 && !strings.Contains(name[i:], "/") {
		base, selector = name[:i], name[i:]
	}
	p, ok := w.Parameter(base)
	if !ok {
		return nil, v, "", Errorf("ParameterNotFound", "")
	}
	if selector == "" {
		return p, p.Latest(), "", nil
	}
	n, numErr := strconv.ParseInt(selector[1:], 10, 64)
	for _, v := range p.Versions {
		if numErr == nil && v.Number == n || slices.Contains(v.Labels, selector[1:]) {
			return p, v, selector, nil
		}
	}
	return nil, v, "", Errorf("ParameterVersionNotFound", "Systems Manager could not find version %s of %s. Verify the version and try again.", selector[1:], base)
}

// Parameters returns all parameters in the order of their names.
func (w *World) Parameters() []*Parameter {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]*Parameter, 0, len(w.params))
	for _, name := range slices.Sorted(maps.Keys(w.params)) {
		all = append(all, copyParameter(w.params[name]))
	}
	return all
}

// DeleteParameter removes a parameter and reports whether it was there.
func (w *World) DeleteParameter(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := w.parameterKey(name)
	_, ok := w.params[key]
	delete(w.params, key)
	return ok
}
