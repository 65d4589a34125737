package graph

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"headroom/timesheet"
)

// BenchmarkEntries answers 50 entries, all that stands in their own rows, and
// writes them.
func BenchmarkEntries(b *testing.B) {
	es := &executableSchema{}
	doc, errs := gqlparser.LoadQueryWithRules(es.Schema(), `{ timeEntries(first: 50) { nodes { id description startedAt endedAt seconds day billable version } } }`, rules.NewDefaultRules())
	if errs != nil {
		b.Fatal(errs)
	}
	nodes := doc.Operations[0].SelectionSet[0].(*ast.Field).SelectionSet[0].(*ast.Field).SelectionSet
	start := time.Date(2026, time.March, 2, 8, 0, 0, 0, time.UTC)
	end, seconds := start.Add(time.Hour), 3600
	entries := make([]timesheet.TimeEntry, 50)
	for i := range entries {
		entries[i] = timesheet.TimeEntry{Description: "some work", StartedAt: start, EndedAt: &end, Seconds: new(int64(seconds)), Day: timesheet.DayOf(start, time.UTC)}
	}
	ctx := graphql.WithResponseContext(context.Background(), graphql.DefaultErrorPresenter, graphql.DefaultRecover)
	b.ReportAllocs()
	for b.Loop() {
		ec := newExecutionContext(&graphql.OperationContext{Doc: doc}, es, nil)
		var out bytes.Buffer
		out.Grow(16 << 10)
		ec.marshalNTimeEntry2ᚕheadroomᚋtimesheetᚐTimeEntryᚄ(ctx, nodes, entries).MarshalGQL(&out)
		if out.Len() < 5000 {
			b.Fatal(out.String())
		}
	}
}
