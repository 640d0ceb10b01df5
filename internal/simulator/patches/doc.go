// Package patches is what a patch manager has to know without any node: which
// patches there are for which product, by a rule that needs no data and no chance,
// and which of them a baseline approves, when and why.
//
// A maker of software publishes fixes of its packages (upstream); each product
// takes them over a few days later under a version of its own, with the same CVEs.
// Windows has its streams of updates instead, most of them on Patch Tuesday.
// Patches are there from 2022 to the end of 2034, so that a clock that moves brings
// new ones. Nothing of it is real, except for the form.
package patches
