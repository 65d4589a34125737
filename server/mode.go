package server

import "slices"

// Mode says what limits do.
type Mode string

// Measure admits everything and counts what Enforce would have refused; Off
// has no admission and no budgets, as a server without protection has.
const (
	Enforce Mode = "on"
	Measure Mode = "measure"
	Off     Mode = "off"
)

// Rule is a kind of limit that can be measured while the others are enforced.
type Rule string

// The rules: what one operation may cost, what a person and a workspace may
// spend, and who waits for a seat.
const (
	RuleCaps    Rule = "caps"
	RuleBudgets Rule = "budgets"
	RuleGate    Rule = "gate"
)

// modes are the server's mode and the rules that are measured under Enforce.
type modes struct {
	Mode
	measured []Rule
}

func (m modes) of(r Rule) Mode {
	if m.Mode == Enforce && slices.Contains(m.measured, r) {
		return Measure
	}
	return m.Mode
}
