// Package junit is the part of JUnit's XML that CI systems read.
package junit
