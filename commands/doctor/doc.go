// Package doctor is the command doctor: why a machine is not managed, and what repairs it.
package doctor
