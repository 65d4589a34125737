package limits_test

import (
	"testing"

	"headroom/limits"
)

// A gate of another package hears of the end of what it admitted once, and whether
// it teaches anything.
func TestPermitsOfOtherGates(t *testing.T) {
	ends := map[bool]func(*limits.Permit){
		true:  func(p *limits.Permit) { p.Done(limits.Outcome{}); p.Drop() },
		false: func(p *limits.Permit) { p.Drop(); p.Done(limits.Outcome{}) },
	}
	for want, end := range ends {
		var heard []bool
		p := limits.NewPermit(limits.Request{}, func(_ limits.Outcome, teach bool) { heard = append(heard, teach) })
		if p.Step() != limits.Normal || p.Slot() != nil {
			t.Errorf("the permit has step %v and slot %v, want neither", p.Step(), p.Slot())
		}
		if end(p); len(heard) != 1 || heard[0] != want {
			t.Errorf("the gate heard %v, want %v once", heard, want)
		}
	}
}
