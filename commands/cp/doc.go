// Package cp is the command cp: files copied to and from nodes.
package cp
