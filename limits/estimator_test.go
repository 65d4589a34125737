package limits

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// counts is an estimator that knows some coordinates.
type counts map[string]Estimate

func (c counts) Estimate(coordinate string, _ Arguments) (Estimate, bool) {
	e, ok := c[coordinate]
	return e, ok
}

func TestPriceWithEstimator(t *testing.T) {
	tests := []struct {
		name string
		est  Estimator
		want Price
	}{
		{
			name: "none",
			want: Price{Expected: 0.5 + 100*0.02*2, Bound: 4.5, Rows: 200, Nodes: 200, Basis: Declared},
		},
		{
			name: "that knows nothing", est: counts{},
			want: Price{Expected: 4.5, Bound: 4.5, Rows: 200, Nodes: 200, Basis: Declared},
		},
		{
			name: "that knows of 12, at most 20",
			est:  counts{"Query.projects": {Rows: 12, MaxRows: 20, Work: 3 * ms, MaxWork: 8 * ms}},
			want: Price{Expected: 3 + 12*0.04, Bound: 8 + 20*0.04, Rows: 24, Nodes: 40, Basis: Statistics},
		},
		{
			name: "that expects more than was asked for",
			est:  counts{"Query.projects": {Rows: 1000, MaxRows: 2000, Work: 3 * ms, MaxWork: 3 * ms}},
			want: Price{Expected: 3 + 4, Bound: 7, Rows: 200, Nodes: 200, Basis: Statistics},
		},
		{
			name: "whose bound is below its forecast",
			est:  counts{"Query.projects": {Rows: 12, MaxRows: 2, Work: 3 * ms, MaxWork: 1}},
			want: Price{Expected: 3.48, Bound: 3.48, Rows: 24, Nodes: 24, Basis: Statistics},
		},
		{
			name: "that returns nonsense",
			est:  counts{"Query.projects": {Rows: -1, Work: 1}, "Project.client": {Work: -5}},
			want: Price{Expected: 4.5, Bound: 4.5, Rows: 200, Nodes: 200, Basis: Declared},
		},
		{
			name: "of a field within the list",
			est:  counts{"Project.client": {Work: ms / 10, MaxWork: ms, MaxRows: 1}},
			want: Price{Expected: 0.5 + 100*0.14, Bound: 0.5 + 100*1.04, Rows: 200, Nodes: 200, Basis: Statistics},
		},
		{
			name: "without end",
			est:  counts{"Query.projects": {Rows: math.MaxInt64, MaxRows: math.MaxInt64, Work: math.MaxInt64}},
			want: Price{Expected: maxPoints, Bound: maxPoints, Rows: 200, Nodes: 200, Basis: Statistics},
		},
	}
	f := compile(t, tracker(t), `{ projects(first: 100) { nodes { client { id } } } }`)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := f.Price(nil, tt.est)
			if diff := cmp.Diff(tt.want, got, roughly, cmpopts.IgnoreFields(Price{}, "Fields", "Work")); diff != "" {
				t.Errorf("price (-want +got):\n%s", diff)
			}
		})
	}
}

// seen records what an estimator is asked.
type seen map[string]map[string]any

func (s seen) Estimate(coordinate string, args Arguments) (Estimate, bool) {
	s[coordinate] = args.All()
	return Estimate{}, false
}

func TestEstimatorSeesArguments(t *testing.T) {
	f := compile(t, tracker(t), `query($in: ReportInput!, $unset: Int) {
		timesheetReport(input: $in) { rows { key } }
		search(text: "x", first: $unset) { ... on Tag { id } }
		projects(last: 4) { totalCount nodes { name } }
	}`)
	got := seen{}
	input := map[string]any{"maxRows": int64(5)}
	f.Price(map[string]any{"in": input}, got)
	want := seen{
		"Query.timesheetReport":        {"input": input},
		"Report.rows":                  {},
		"Query.search":                 {"text": "x", "first": int64(20)},
		"Query.projects":               {"last": int64(4)},
		"ProjectConnection.totalCount": {},
		"ProjectConnection.nodes":      {},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

// Rows that are read are those of the root fields that are included, and a cap on
// them tells how it is kept.
func TestCapOnRowsRead(t *testing.T) {
	f := compile(t, tracker(t), `query($on: Boolean!) { a: projects(first: 4) { nodes { id } } b: projects(first: 4) @include(if: $on) { nodes { id } } }`)
	est := counts{"Query.projects": {Rows: 4, MaxRows: 4, Reads: 700}}
	on := map[string]any{"on": true}
	if one, both := f.Price(map[string]any{"on": false}, est), f.Price(on, est); one.Reads != 700 || both.Reads != 1400 || both.Fields[0].Reads != 700 {
		t.Errorf("%d and %d rows are read, want 700 and 1400", one.Reads, both.Reads)
	}
	caps := Caps{Points: 1000, Nodes: 1000, Reads: 1000}
	over := caps.Check(f, f.Price(on, est), on, est)
	if over == nil || over.Unit != Reads || over.Estimated != 1400 || len(over.Suggestions) != 1 || over.Suggestions[0].Kind != SplitOperation {
		t.Errorf("1,400 of 1,000 rows: %+v", over)
	}
	caps.Reads = 0
	if over := caps.Check(f, f.Price(on, est), on, est); over != nil {
		t.Errorf("without a cap: %v", over)
	}
}
