// Package account holds the nouns of an account and Region as a whole: its settings, default
// host management, data syncs, resource policies, connectors, and tags. They are declared as
// tables over the operations of the API.
package account
