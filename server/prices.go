package server

import (
	"context"
	"maps"
	"strings"

	"headroom/limits"
	"headroom/store"
)

// The statements that answer the fields whose price follows what a workspace
// holds, by the rows that they read.
const (
	byReportSums   = "reportGroups.sums"
	byReportIndex  = "reportGroups.index"
	byReportTable  = "reportGroups.table"
	byReportText   = "reportGroups.text"
	bySummarySums  = "summaryGroups.sums"
	bySummaryIndex = "summaryGroups.index"
	byEntries      = "entriesPage.table"
	byEntriesText  = "entriesPage.text"
	byEntriesCount = "entriesCount"
	byDay          = "readDay"
	byWeek         = "sumWeek"
	byTracked      = "trackedSeconds"
	byRate         = "setRate"
)

// statementPrice stands before a statement's name in the price table.
const statementPrice = "statement."

// builtinPrices is the table until one is published: milliseconds of a statement
// and of one row of each kind, medians of 19,215 measured statements over 200
// workspaces (docs/decisions/0041), and what a statement is dearer than its rows.
var builtinPrices = limits.PriceTable{Prices: map[string]float64{
	"call":       0.18,
	"row.sums":   0.00015, // of the rollup
	"row.index":  0.00023, // of a covering index
	"row.table":  0.00054, // of the table, by a narrow index
	"row.text":   0.00082, // of the table, compared with a text
	"row.result": 0.00072, // of the answer
	"row.write":  0.065,   // of the table, written with the sums that it belongs to

	statementPrice + byReportSums:   1,
	statementPrice + byReportIndex:  1,
	statementPrice + byReportTable:  1,
	statementPrice + byReportText:   1,
	statementPrice + bySummarySums:  1,
	statementPrice + bySummaryIndex: 1,
	statementPrice + byEntries:      1,
	statementPrice + byEntriesText:  1,
	statementPrice + byEntriesCount: 1,
	statementPrice + byDay:          1,
	statementPrice + byWeek:         1,
	statementPrice + byTracked:      1,
	statementPrice + byRate:         1,
}}

// rates are a price table as the estimator reads it. They do not change.
type rates struct {
	table                                        limits.PriceTable
	call, sums, index, heap, text, result, write float64
	statements                                   map[string]float64
}

func ratesOf(t limits.PriceTable) *rates {
	r := &rates{
		table: t, statements: map[string]float64{},
		call: t.Prices["call"], sums: t.Prices["row.sums"], index: t.Prices["row.index"],
		heap: t.Prices["row.table"], text: t.Prices["row.text"], result: t.Prices["row.result"], write: t.Prices["row.write"],
	}
	for name, price := range t.Prices {
		if statement, ok := strings.CutPrefix(name, statementPrice); ok {
			r.statements[statement] = price
		}
	}
	return r
}

// PublishedPrices is the price table that servers on this database use: the last
// published one, completed by what this program knows and that did not, or the
// program's own as version 0.
func PublishedPrices(ctx context.Context, s *store.Store) (limits.PriceTable, error) {
	v, ok, err := s.Prices(ctx)
	if err != nil || !ok {
		return BuiltinPrices(), err
	}
	return completed(limits.PriceTable{Version: v.Version, Prices: v.Prices}), nil
}

// BuiltinPrices is the program's own table, version 0.
func BuiltinPrices() limits.PriceTable { return completed(builtinPrices) }

func completed(t limits.PriceTable) limits.PriceTable {
	all := maps.Clone(builtinPrices.Prices)
	for name, price := range t.Prices {
		if _, known := all[name]; known && price > 0 {
			all[name] = price
		}
	}
	return limits.PriceTable{Version: t.Version, Prices: all}
}

// ProposedPrices are the numbers of the table that what was learned disagrees
// with, each as far as one version may go.
func ProposedPrices(ctx context.Context, s *store.Store, t limits.PriceTable) (map[string]float64, limits.LearnerSnapshot, error) {
	learner := limits.NewLearner()
	var lessons []limits.Lesson
	err := s.ShareWork(ctx, func(saved []store.Lesson) []store.Lesson {
		lessons = learner.Exchange(lessonsOf(saved))
		return saved
	})
	snapshot := learner.Snapshot()
	return t.Proposal(statementPrice, snapshot, lessons), snapshot, err
}

// PublishPrices publishes the version after t with some numbers changed. Whatever
// was learned is brought to the new points, with the present speed as its base.
func PublishPrices(ctx context.Context, s *store.Store, t limits.PriceTable, changes map[string]float64, author, reason string) (limits.PriceTable, error) {
	next, err := t.Next(changes)
	if err != nil {
		return t, err
	}
	factor := func(statement string) float64 {
		if old := t.Prices[statementPrice+statement]; old > 0 {
			return next.Prices[statementPrice+statement] / old
		}
		return 1
	}
	v := store.PriceVersion{Version: next.Version, Author: author, Reason: reason, Prices: next.Prices}
	return next, s.PublishPrices(ctx, v, func(saved []store.Lesson) []store.Lesson {
		return storedLessons(limits.Repriced(lessonsOf(saved), factor))
	})
}

func lessonsOf(saved []store.Lesson) []limits.Lesson {
	out := make([]limits.Lesson, len(saved))
	for i, l := range saved {
		out[i] = limits.Lesson(l)
	}
	return out
}

func storedLessons(lessons []limits.Lesson) []store.Lesson {
	out := make([]store.Lesson, len(lessons))
	for i, l := range lessons {
		out[i] = store.Lesson(l)
	}
	return out
}

// followPrices takes over the published price table, if there is a newer one. What
// was measured against the old points is let go.
func (s *Server) followPrices(ctx context.Context) {
	t, err := PublishedPrices(ctx, s.store)
	if err != nil {
		if ctx.Err() == nil {
			s.log.Warn("read the price table; prices stay as they are", "error", err)
		}
		return
	}
	s.prices.mu.Lock()
	defer s.prices.mu.Unlock()
	if now := s.prices.list.Load(); t.Version <= now.table.Version {
		return
	}
	s.work.Forget()
	s.prices.list.Store(ratesOf(t))
	s.log.Info("prices follow a published table", "version", t.Version, "changes", len(builtinPrices.Diff(t)))
}
