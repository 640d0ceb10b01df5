package parameter

import "testing"

func TestMoneyIsWrittenAsPeopleDo(t *testing.T) {
	for amount, want := range map[USD]string{
		0: "0.00 USD", 0.05: "0.05 USD", 12.4: "12.40 USD", 0.005: "0.005 USD", 0.0000015: "0.000002 USD", 1234.567: "1234.57 USD",
	} {
		if got := amount.String(); got != want {
			t.Errorf("%f: %q, want %q", float64(amount), got, want)
		}
	}
}

func TestWhatParametersCost(t *testing.T) {
	got := CostOf([]Parameter{{Tier: Standard}, {Tier: Advanced}, {Tier: Advanced}, {}})
	if got.Standard != 2 || got.Advanced != 2 || got.Monthly.String() != "0.10 USD" {
		t.Errorf("got %+v", got)
	}
	if got := SecretPrice(3).String(); got != "1.20 USD" {
		t.Errorf("three secrets: %s", got)
	}
}

func TestTheNoteOfAdvancedParameters(t *testing.T) {
	for n, want := range map[int]string{
		0: "",
		1: "1 parameter becomes advanced: 0.05 USD a month, and it cannot become standard again",
		3: "3 parameters become advanced: 0.15 USD a month, and they cannot become standard again",
	} {
		if got := AdvancedNote(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
