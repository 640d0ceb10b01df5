package rawapi

import (
	"reflect"

	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// unions are the fields of the API that hold one of several structures. In Go they
// are interfaces, for which reflection cannot find the implementations: type, then
// the struct of each member by its name in JSON. A test compares it with the SDK.
var unions = map[reflect.Type]map[string]reflect.Type{
	reflect.TypeFor[types.CloudConnectorConfiguration](): {
		"AzureConfiguration": reflect.TypeFor[types.CloudConnectorConfigurationMemberAzureConfiguration](),
	},
	reflect.TypeFor[types.ConfigurationTargets](): {
		"Subscriptions": reflect.TypeFor[types.ConfigurationTargetsMemberSubscriptions](),
	},
	reflect.TypeFor[types.ExecutionInputs](): {
		"Automation": reflect.TypeFor[types.ExecutionInputsMemberAutomation](),
	},
	reflect.TypeFor[types.ExecutionPreview](): {
		"Automation": reflect.TypeFor[types.ExecutionPreviewMemberAutomation](),
	},
	reflect.TypeFor[types.NodeType](): {
		"Instance": reflect.TypeFor[types.NodeTypeMemberInstance](),
	},
}
