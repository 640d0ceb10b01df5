package world

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// TestParametersUnderManyHands holds that calls at the same time lose no version and
// mix nothing up, while policies act and keys change. The race detector watches.
func TestParametersUnderManyHands(t *testing.T) {
	w := newWorld(t, "keys: [{id: 7f3a1c52-90de-4a61-8b0f-2f0c6f4b9d11, alias: alias/app}]", succeed)
	const hands, turns = 8, 50
	description := "x"
	var all sync.WaitGroup
	for i := range hands {
		all.Go(func() {
			for j := range turns {
				p := NewParameter{Name: "/shared", Value: fmt.Sprint(i, " ", j), Type: typeSecureString, KeyID: "alias/app", Overwrite: true, Description: &description}
				if _, err := w.PutParameter(p); err != nil {
					t.Error(err)
				}
				mine := fmt.Sprintf("/hand/%d/%d", i, j%5)
				policies := `[{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"` + w.Now().Add(time.Duration(j)*time.Millisecond).UTC().Format(time.RFC3339Nano) + `"}}]`
				_, _ = w.PutParameter(NewParameter{Name: mine, Value: "v", Type: typeString, Tier: tierAdvanced, Policies: policies, Overwrite: true})
				_, _, _ = w.LabelParameter("/shared", 0, []string{"last"})
				_ = w.ChangeTags("Parameter", "/shared", map[string]string{fmt.Sprint(i): fmt.Sprint(j)}, nil)
				hits, _, _ := w.FindParameters(ParameterQuery{Path: "/", Limit: 50})
				for _, h := range hits {
					_ = fmt.Sprint(h.Labels, h.Policies)
				}
				if s, err := w.Select("", "ssm:GetParameter", "/shared"); err != nil || w.Reveal("", s.ParameterVersion) != nil {
					t.Errorf("the parameter is lost: %v", err)
				}
				if p, ok := w.Parameter("/shared"); ok {
					_ = fmt.Sprint(p.Tags, p.Versions)
				}
				_ = w.EditKey("alias/app", func(k *Key) error { k.Description = mine; return nil })
				w.DeleteParameter(mine)
			}
		})
	}
	all.Wait()
	p, ok := w.Parameter("/shared")
	if last := p.Latest().Number; !ok || last != hands*turns || len(p.Tags) != hands {
		t.Fatalf("version %d, tags %v", last, p.Tags)
	}
	for i, v := range p.Versions {
		if i > 0 && v.Number != p.Versions[i-1].Number+1 {
			t.Errorf("version %d follows %d", v.Number, p.Versions[i-1].Number)
		}
	}
}
