package parameter

import (
	"fmt"
	"math"
	"strings"
)

// USD is an amount of money in US dollars. What it counts is written where it stands;
// most are for a month.
type USD float64

// String writes the amount as people do: 0.05 USD, 12.40 USD. Less than a cent keeps the
// digits that say something.
func (u USD) String() string {
	if u > 0 && u < 0.01 {
		return strings.TrimRight(fmt.Sprintf("%.6f", float64(u)), "0") + " USD"
	}
	return fmt.Sprintf("%.2f USD", float64(u))
}

// List prices, the same in all commercial Regions, without taxes, credits and the free
// month of a new secret. Sources: the pages "AWS Systems Manager pricing" (Parameter
// Store) and "AWS Secrets Manager pricing"; as published in 2026. PricesOf says so to
// who reads an amount.
const (
	// AdvancedMonth is the price of one advanced parameter for a month; it is billed by
	// the hour. A standard parameter costs nothing.
	AdvancedMonth USD = 0.05
	// CallsUnit is how many calls a price of calls is for.
	CallsUnit = 10_000
	// AdvancedCalls is the price of CallsUnit reads and writes of advanced parameters,
	// where each parameter in an answer counts as one. Those of standard parameters
	// cost nothing, unless the account has higher throughput: then the same.
	AdvancedCalls USD = 0.05
	// SecretMonth is the price of one secret of Secrets Manager for a month. A replica
	// in another Region is a secret of its own.
	SecretMonth USD = 0.40
	// SecretCalls is the price of CallsUnit calls of Secrets Manager.
	SecretCalls USD = 0.05

	// PricesOf is where and when the prices are from.
	PricesOf = "AWS list prices as published in 2026"
)

// Limits of an account in a Region (API reference, PutParameter).
const (
	MaxStandard = 10_000  // standard parameters
	MaxAdvanced = 100_000 // advanced parameters

	StandardBytes = 4096 // of a value, in the standard tier
	AdvancedBytes = 8192 // of a value, in the advanced tier
)

// Cost is what parameters cost in a month, calls not counted.
type Cost struct {
	Standard int `json:"standard"` // how many of the tier there are
	Advanced int `json:"advanced"`
	Monthly  USD `json:"usd_per_month"`
}

// CostOf adds up a list of parameters. One whose tier was not read counts as standard.
func CostOf(list []Parameter) (c Cost) {
	for _, p := range list {
		if p.Tier == Advanced {
			c.Advanced++
		} else {
			c.Standard++
		}
	}
	c.Monthly = AdvancedPrice(c.Advanced)
	return c
}

// AdvancedPrice is the price of n advanced parameters for a month.
func AdvancedPrice(n int) USD { return (USD(n) * AdvancedMonth).round() }

// SecretPrice is the price of n secrets of Secrets Manager for a month.
func SecretPrice(n int) USD { return (USD(n) * SecretMonth).round() }

// round takes off what binary fractions add: amounts have millionths at most.
func (u USD) round() USD { return USD(math.Round(float64(u)*1e6) / 1e6) }

// AdvancedNote says what it costs that n parameters become advanced, which they were
// not before; empty when n is 0. It is for dry runs, plans and questions, before it
// happens.
func AdvancedNote(n int) string {
	switch {
	case n <= 0:
		return ""
	case n == 1:
		return fmt.Sprintf("1 parameter becomes advanced: %v a month, and it cannot become standard again", AdvancedPrice(n))
	}
	return fmt.Sprintf("%d parameters become advanced: %v a month, and they cannot become standard again", n, AdvancedPrice(n))
}
