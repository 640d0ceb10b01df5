package control

import (
	"strings"

	"github.com/ssmdeck/ssmdeck/internal/simulator/world"
)

func settingOperations() map[string]operation {
	return map[string]operation{
		"GetServiceSetting":                            untyped((*call).getServiceSetting),
		"UpdateServiceSetting":                         untyped((*call).updateServiceSetting),
		"ResetServiceSetting":                          untyped((*call).resetServiceSetting),
		"RegisterDefaultHostManagementConfiguration":   untyped((*call).registerDefaultHostManagement),
		"DeregisterDefaultHostManagementConfiguration": untyped((*call).deregisterDefaultHostManagement),
	}
}

func (c *call) settingAnswer(s world.ServiceSetting, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return world.Record{"ServiceSetting": world.Record{
		"SettingId": s.ID, "SettingValue": s.Value, "LastModifiedDate": s.Modified, "LastModifiedUser": s.User,
		"ARN": c.world.ARN("ssm", "servicesetting"+s.ID), "Status": s.Status,
	}}, nil
}

func (c *call) getServiceSetting(in request) (any, error) {
	return c.settingAnswer(c.world.ServiceSetting(in.text("SettingId")))
}

func (c *call) updateServiceSetting(in request) (any, error) {
	return empty(), c.world.UpdateServiceSetting(in.text("SettingId"), in.text("SettingValue"), c.caller.ARN)
}

func (c *call) resetServiceSetting(in request) (any, error) {
	return c.settingAnswer(c.world.ResetServiceSetting(in.text("SettingId"), c.caller.ARN))
}

// serviceManagedRole stands for the role that the service makes; its real name is
// not documented.
const serviceManagedRole = "aws-service-role/ssm.amazonaws.com/AWSServiceRoleForSSMDefaultHostManagement"

// registerDefaultHostManagement sets the role that nodes without an instance
// profile get. The setting holds its path and name.
func (c *call) registerDefaultHostManagement(in request) (any, error) {
	arn, own := in.text("RoleArn"), in.text("PermissionModel") == "SELF_MANAGED"
	_, role, ok := strings.Cut(arn, ":role/")
	switch {
	case own && !ok:
		return nil, invalid("RoleArn is required and must be the ARN of a role when PermissionModel is SELF_MANAGED.")
	case !own && arn != "":
		return nil, invalid("RoleArn must not be set when PermissionModel is SERVICE_MANAGED.")
	case !own:
		role = serviceManagedRole
		arn = "arn:aws:iam::" + c.world.Account() + ":role/" + role
	}
	if old := c.world.DefaultHostRole(); old != "" && old != role && !in.flag("Overwrite") {
		return nil, world.Errorf("ConflictException", "Default Host Management Configuration is registered with role %s already. Set Overwrite to replace it.", old)
	}
	if err := c.world.UpdateServiceSetting(world.SettingDefaultHostRole, role, c.caller.ARN); err != nil {
		return nil, err
	}
	return world.Record{"RoleArn": arn}, nil
}

func (c *call) deregisterDefaultHostManagement(request) (any, error) {
	if c.world.DefaultHostRole() == "" {
		return nil, world.Errorf("ResourceNotFoundException", "Default Host Management Configuration is not registered.")
	}
	_, err := c.world.ResetServiceSetting(world.SettingDefaultHostRole, c.caller.ARN)
	return empty(), err
}
