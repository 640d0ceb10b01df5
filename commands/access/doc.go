// Package access is the noun access: just-in-time access to nodes, asked for and looked at.
package access
