package awsapi

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func lookupIn(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}

func TestMetadataIsAskedOnlyWhereItExists(t *testing.T) {
	none := func(string) ([]byte, error) { return nil, os.ErrNotExist }
	noStat := func(string) (os.FileInfo, error) { return nil, os.ErrNotExist }
	reads := func(path, text string) func(string) ([]byte, error) {
		return func(p string) ([]byte, error) {
			if p == path {
				return []byte(text), nil
			}
			return nil, os.ErrNotExist
		}
	}
	if onEC2(none, noStat) {
		t.Error("a machine without traces counts as EC2")
	}
	if !onEC2(reads("/sys/devices/virtual/dmi/id/sys_vendor", "Amazon EC2\n"), noStat) {
		t.Error("Nitro is not seen")
	}
	if !onEC2(reads("/sys/hypervisor/uuid", "EC2E1916-9099-7CAF-FD21-012345ABCDEF"), noStat) {
		t.Error("Xen is not seen")
	}
	if onEC2(reads("/sys/devices/virtual/dmi/id/sys_vendor", "QEMU"), noStat) {
		t.Error("QEMU counts as EC2")
	}
	if !onEC2(none, func(p string) (os.FileInfo, error) {
		if p == `C:\ProgramData\Amazon\EC2Launch` {
			return nil, nil
		}
		return nil, os.ErrNotExist
	}) {
		t.Error("a Windows image of EC2 is not seen")
	}
	for name, env := range map[string]map[string]string{
		"asked for":      {"AWS_EC2_METADATA_DISABLED": "false"},
		"left to SDK":    {"AWS_EC2_METADATA_DISABLED": "true"},
		"other endpoint": {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1338"},
	} {
		if !metadataWanted(lookupIn(env)) {
			t.Errorf("%s: the user's word is not obeyed", name)
		}
	}
}

func TestProfileCanAskForMetadata(t *testing.T) {
	home := isolate(t)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "")
	write(t, filepath.Join(home, "config"), "[profile box]\nregion = us-east-1\nrole_arn = arn:aws:iam::123456789012:role/r\ncredential_source = Ec2InstanceMetadata\n")
	o := Options{Profile: "box"}.withDefaults()
	cfg, err := loadWith(t.Context(), o, true)
	if err != nil {
		t.Fatal(err)
	}
	if !asksMetadata(sharedConfig(cfg)) {
		t.Error("credential_source = Ec2InstanceMetadata is not seen")
	}
}

func TestProfiles(t *testing.T) {
	dir := t.TempDir()
	env := map[string]string{
		"AWS_CONFIG_FILE":             filepath.Join(dir, "config"),
		"AWS_SHARED_CREDENTIALS_FILE": filepath.Join(dir, "credentials"),
	}
	if got := Profiles(lookupIn(env)); len(got) != 0 {
		t.Errorf("without files: %v", got)
	}
	write(t, env["AWS_CONFIG_FILE"], "# comment\n[default]\n[profile prod] ; x\n[ profile  dev ]\n[sso-session corp]\n[services s]\nregion = x\n[broken\n")
	write(t, env["AWS_SHARED_CREDENTIALS_FILE"], "[prod]\n[ci]\n")
	if got, want := Profiles(lookupIn(env)), []string{"ci", "default", "dev", "prod"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestMFAErrorIsPassedOn(t *testing.T) {
	if _, err := mfaProvider(t.Context(), nil)(); err == nil {
		t.Error("no one to ask gave no error")
	}
	boom := errors.New("closed")
	_, err := mfaProvider(t.Context(), func(context.Context) (string, error) { return "", boom })()
	if !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
}
