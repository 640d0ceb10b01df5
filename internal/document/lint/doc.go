// Package lint checks SSM documents without asking the service: whether they
// parse, keep to the schema of their type, declare what they use and use what
// they declare, lead somewhere, and are safe to run.
//
// It reports everything at once, each finding with its line and column. A rule is
// an Error only where the service would refuse the document or a node could not
// run it, or where a word is one letter away from a known one; what merely may be
// wrong is a Warning. So a document that is newer than this program still passes.
//
// Sources: the User Guide's pages on document schemas, the command document plugin
// reference, the automation action reference and the session document schema; the
// public source of amazon-ssm-agent for what an agent reads.
package lint
