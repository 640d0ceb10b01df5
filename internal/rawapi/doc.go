// Package rawapi reaches every operation of Systems Manager by its name: JSON or
// text in, JSON out. It serves `ssmdeck api` and the commands that are one call
// and a table.
//
// An Operation is found by name, a Request filled from flags' texts, JSON or YAML
// and checked as a whole before anything is sent (Request.Check names all faults
// at once), and a Service sends it, page by page where the operation has pages.
// Answers are the JSON of the API, without fields that are not there.
//
// There is one table (table.go), a line for each operation, checked by the
// compiler; the package looks up no method by name, and no file is generated.
// Input fields, their types and enumerations come from the SDK's own types. What
// those do not say (limits, patterns, what an operation changes) is in facts.txt.
//
// The package prints nothing, reads no file and keeps no state. It calls
// *ssm.Client itself and not an interface of 154 methods: its tests put a server
// in the place of AWS.
package rawapi
