// Package clitest makes environments for tests of commands: without terminal, network and
// the settings of whoever runs the tests.
package clitest
