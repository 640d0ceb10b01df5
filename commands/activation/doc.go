// Package activation is the noun activation: machines outside EC2 that may register.
package activation
