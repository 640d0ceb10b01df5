// Package accountdata reads what belongs to an account and Region through the API by its names:
// resource policies, settings of Systems Manager.
package accountdata
