package limits

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func table() PriceTable {
	return PriceTable{Version: 4, Prices: map[string]float64{"row.heap": 0.0005, "statement.a": 1, "statement.b": 1}}
}

func TestPriceTableNext(t *testing.T) {
	tests := []struct {
		name    string
		changes map[string]float64
		refused string // part of the error; "": published
	}{
		{"a fifth up", map[string]float64{"row.heap": 0.0006}, ""},
		{"a fifth down", map[string]float64{"row.heap": 0.0004}, ""},
		{"two", map[string]float64{"statement.a": 1.1, "statement.b": 0.9}, ""},
		{"more than a fifth up", map[string]float64{"row.heap": 0.00061}, "row.heap: from 0.0005 to 0.00061 is a change of +22.0 %"},
		{"more than a fifth down", map[string]float64{"row.heap": 0.00039}, "-22.0 %"},
		{"barely more than a fifth", map[string]float64{"row.heap": 0.0006001}, "+20.1 %; at most 20 % can be published at a time, to 0.0006"},
		{"one of two", map[string]float64{"statement.a": 1.1, "statement.b": 2}, "statement.b"},
		{"zero", map[string]float64{"row.heap": 0}, "no positive number"},
		{"negative", map[string]float64{"row.heap": -0.0005}, "no positive number"},
		{"NaN", map[string]float64{"row.heap": math.NaN()}, "no positive number"},
		{"infinite", map[string]float64{"row.heap": math.Inf(1)}, "no positive number"},
		{"unknown", map[string]float64{"row.heaps": 1}, "there is no such price, only row.heap, statement.a, statement.b"},
		{"the same", map[string]float64{"row.heap": 0.0005}, "nothing would change"},
		{"nothing", nil, "nothing would change"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			old := table()
			next, err := old.Next(tt.changes)
			if tt.refused != "" {
				if err == nil || !strings.Contains(err.Error(), tt.refused) {
					t.Errorf("error %v, want one that says %q", err, tt.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if next.Version != 5 || len(old.Diff(next)) != len(tt.changes) {
				t.Errorf("version %d with changes %v, want 5 with %d", next.Version, old.Diff(next), len(tt.changes))
			}
			if len(old.Diff(table())) != 0 {
				t.Error("the old version has changed")
			}
		})
	}
}

func TestProposalFollowsWhatIsLearned(t *testing.T) {
	l, r := NewLearner(), rand.New(rand.NewPCG(11, 12))
	for _, name := range []string{"b", "c", "d", "e"} { // not in the table but b: the general speed
		teach(l, r, name, 400, 0.2, 2, 1.1)
	}
	teach(l, r, "a", 400, 0.2, 2.9, 1.1)
	lessons := l.Exchange(nil)
	got := table().Proposal("statement.", l.Snapshot(), lessons)
	if len(got) != 1 {
		t.Fatalf("proposal %v, want one for a alone: twice as slow in general is no reason", got)
	}
	wantNear(t, "a, which is 1.45 times dearer", got["statement.a"], 1.2, 1.001)
	if _, err := table().Next(got); err != nil {
		t.Errorf("the proposal cannot be published: %v", err)
	}
}

func TestProposalNeedsEvidence(t *testing.T) {
	l, r := NewLearner(), rand.New(rand.NewPCG(13, 14))
	teach(l, r, "a", 40, 0.2, 2.9, 1.1)
	teach(l, r, "b", 400, 0.2, 1, 1.1)
	lessons := l.Exchange(nil)
	if got := table().Proposal("statement.", l.Snapshot(), lessons); got["statement.a"] != 0 {
		t.Errorf("proposal %v of 40 measurements", got)
	}
}
