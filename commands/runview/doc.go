// Package runview shows runs of Run Command while they go on and when they have ended, and
// asks before many nodes are touched.
package runview
