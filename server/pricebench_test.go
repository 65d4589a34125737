package server

import (
	"testing"

	"headroom/limits"
	"headroom/timesheet"
)

// pricedReport is a document as the cache holds it, its variables, and the estimator
// of a large company.
func pricedReport(t testing.TB) (*limits.Formula, map[string]any, *estimator) {
	t.Helper()
	p, err := NewPricer("", limits.DefaultCaps)
	if err != nil {
		t.Fatal(err)
	}
	doc, f := p.documents.load(t.Context(), params{query: yearOfTasks}, &timings{})
	if f != nil {
		t.Fatal(f.list())
	}
	return doc.formula, yearByTask(10), estimatorOf(company(), timesheet.RoleOwner, 1)
}

// A known document is priced by what a workspace holds with two allocations at most.
func TestPriceAllocatesLittle(t *testing.T) {
	f, vars, e := pricedReport(t)
	if n := testing.AllocsPerRun(100, func() { f.Price(vars, e) }); n > 2 {
		t.Errorf("a price allocates %v times, want at most 2", n)
	}
}

func BenchmarkPriceOfReport(b *testing.B) {
	f, vars, e := pricedReport(b)
	b.ReportAllocs()
	for b.Loop() {
		if p := f.Price(vars, e); p.Basis != limits.Statistics {
			b.Fatal("not estimated")
		}
	}
}
