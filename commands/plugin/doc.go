// Package plugin stands in for the AWS CLI's session-manager-plugin.
package plugin
