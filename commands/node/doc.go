// Package node is the noun node and the command ls: managed nodes listed, followed, tagged,
// pinged, and their agents updated.
package node
