// Package api calls every operation of Systems Manager by its name.
package api
