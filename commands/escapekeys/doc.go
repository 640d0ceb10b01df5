// Package escapekeys knows the escapes of sessions (~. and the others): the character that
// begins them, the keys behind it, and how they are picked out of what is typed.
package escapekeys
