package server

import (
	"testing"

	"headroom/store"
	"headroom/timesheet"
)

// Seconds tracked in all time are read from totals: years of sums by month cost
// nothing, what is not folded of the last months does, and a period its sums.
func TestTrackedInAllTime(t *testing.T) {
	price := func(c *store.Counts, args map[string]any) float64 {
		return float64(estimatorOf(c, timesheet.RoleOwner, 1).tracked(given(args)).Work)
	}
	few, many, late := company(), company(), company()
	few.ProjectSums, many.ProjectSums = monthly(10), monthly(10_000)
	late.Sums = monthly(100_000)
	if a, b := price(few, nil), price(many, nil); a != b {
		t.Errorf("with few sums %v, with many %v", a, b)
	}
	if a, b := price(few, nil), price(late, nil); b < 2*a {
		t.Errorf("with little to fold %v, with much %v", a, b)
	}
	years := map[string]any{"period": map[string]any{"from": "2024-01-01", "to": "2025-12-31"}}
	if a, b := price(few, years), price(many, years); b < 2*a {
		t.Errorf("two years of few sums %v, of many %v", a, b)
	}
}
