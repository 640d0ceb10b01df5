// Package param is the noun param: parameters of Parameter Store read, written, moved, compared
// and handed to other programs.
package param
