// Package inventory is the noun inventory: what agents gathered about nodes, and questions to it.
package inventory
