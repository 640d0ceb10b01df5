// Package patch is the noun patch: what Patch Manager found, scans, installations in waves,
// baselines and groups, reports and alarms.
package patch
