// Package pagefleet is the page Fleet of the dashboard: the managed nodes joined with
// what EC2 and Patch Manager know, what is wrong with each and why, and what can be
// done about it.
package pagefleet
