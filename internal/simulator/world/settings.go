package world

import (
	"slices"
	"strings"
	"time"
)

// ServiceSetting is an account setting of the service.
type ServiceSetting struct {
	ID, Value, Status string // status: Default, Customized
	Modified          time.Time
	User              string
}

// The ids of settings that have an effect in the simulator.
const (
	SettingDefaultHostRole = "/ssm/managed-instance/default-ec2-instance-management-role"
	SettingDefaultTier     = "/ssm/parameter-store/default-parameter-tier"
	SettingHighThroughput  = "/ssm/parameter-store/high-throughput-enabled"
	SettingPublicSharing   = "/ssm/documents/console/public-sharing-permission"
	SettingActivationTier  = "/ssm/managed-instance/activation-tier"
)

// noRole is the value of SettingDefaultHostRole while none is registered.
const noRole = "$None"

// settingSpec is what a setting is at first and can be; no values is any text.
type settingSpec struct {
	value  string
	values []string
}

// serviceSettings are all settings that there are (API reference,
// UpdateServiceSetting). The defaults of those that it does not tell are guesses.
var serviceSettings = map[string]settingSpec{
	"/ssm/appmanager/appmanager-enabled":              {"False", []string{"True", "False"}},
	"/ssm/automation/customer-script-log-destination": {"None", []string{"CloudWatch", "None"}},
	"/ssm/automation/customer-script-log-group-name":  {"/aws/ssm/automation/executeScript", nil},
	"/ssm/automation/enable-adaptive-concurrency":     {"False", []string{"True", "False"}},
	SettingPublicSharing:                              {"Enable", []string{"Enable", "Disable"}},
	SettingActivationTier:                             {"standard", []string{"standard", "advanced"}},
	SettingDefaultHostRole:                            {noRole, nil},
	"/ssm/opsinsights/opscenter":                      {"Disabled", []string{"Enabled", "Disabled"}},
	SettingDefaultTier:                                {"Standard", []string{"Standard", "Advanced", "Intelligent-Tiering"}},
	SettingHighThroughput:                             {"false", []string{"true", "false"}},
}

func (w *World) addSettings() {
	for id := range serviceSettings {
		w.settings[id] = w.defaultSetting(id)
	}
	if role := w.sc.DefaultHost; role != "" {
		w.settings[SettingDefaultHostRole] = ServiceSetting{ID: SettingDefaultHostRole, Value: role, Status: "Customized", Modified: w.now(), User: "System"}
	}
}

func (w *World) defaultSetting(id string) ServiceSetting {
	value := serviceSettings[id].value
	if id == SettingActivationTier {
		value = w.sc.ActivationTier
	}
	return ServiceSetting{ID: id, Value: value, Status: "Default", Modified: w.now(), User: "System"}
}

// settingID is the id of a setting that may be named by its ARN.
func settingID(id string) string {
	if _, rest, ok := strings.Cut(id, ":servicesetting"); ok {
		return rest
	}
	return id
}

// ServiceSetting returns an account setting by its id, which may be an ARN.
func (w *World) ServiceSetting(id string) (ServiceSetting, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.setting(id)
}

func (w *World) setting(id string) (ServiceSetting, error) {
	id = settingID(id)
	s, ok := w.settings[id]
	if !ok {
		return s, Errorf("ServiceSettingNotFound", "Setting not found: %s", id)
	}
	return s, nil
}

// UpdateServiceSetting gives a setting a value of the account's own.
func (w *World) UpdateServiceSetting(id, value, user string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, err := w.setting(id)
	if err != nil {
		return err
	}
	if allowed := serviceSettings[s.ID].values; allowed != nil && !slices.Contains(allowed, value) {
		return Errorf("ValidationException", "Setting value %s is not valid for %s. Valid values: [%s]", value, s.ID, strings.Join(allowed, ", "))
	}
	w.settings[s.ID] = ServiceSetting{ID: s.ID, Value: value, Status: "Customized", Modified: w.now(), User: user}
	w.settle()
	return nil
}

// ResetServiceSetting gives a setting its default value again.
func (w *World) ResetServiceSetting(id, user string) (ServiceSetting, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, err := w.setting(id)
	if err != nil {
		return s, err
	}
	s = w.defaultSetting(s.ID)
	s.User = user
	w.settings[s.ID] = s
	return s, nil
}

// DefaultHostRole is the role of Default Host Management as its setting has it,
// such as service-role/NAME; empty while none is registered.
func (w *World) DefaultHostRole() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if v := w.settings[SettingDefaultHostRole].Value; v != noRole {
		return v
	}
	return ""
}

// HighThroughput reports whether the account pays for more calls of Parameter
// Store.
func (w *World) HighThroughput() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.settings[SettingHighThroughput].Value == "true"
}
