package store_test

import (
	"context"
	"testing"
	"time"

	"headroom/store"
	"headroom/timesheet"
)

// Statements that were run are explained with their arguments, whatever types
// these have.
func TestPlanOfStatementsThatWereRun(t *testing.T) {
	db, v, _ := newDatabase(t)
	year := timesheet.Period{From: timesheet.NewDate(2025, 1, 1), To: timesheet.NewDate(2025, 12, 31)}
	for tag, run := range map[string]func(context.Context) error{
		"reportGroups": func(ctx context.Context) error {
			_, err := db.Report(ctx, v, timesheet.ReportInput{Period: year, GroupBy: []timesheet.GroupKey{timesheet.GroupWeek, timesheet.GroupProject}, MaxRows: 10}, time.Now())
			return err
		},
		"summaryGroups": func(ctx context.Context) error { _, err := db.Summary(ctx, v, year, time.Now()); return err },
		"entriesPage": func(ctx context.Context) error {
			_, err := db.TimeEntries(ctx, v, timesheet.EntryFilter{Period: &year, Text: "x", Projects: []timesheet.ProjectID{1, 2}}, timesheet.Page{First: 10})
			return err
		},
	} {
		op := store.NewOperation(1)
		op.KeepStatement(tag)
		ctx := timesheet.WithService(store.WithOperation(t.Context(), op), timesheet.Service{Class: timesheet.ClassReport})
		if err := run(ctx); err != nil {
			t.Fatal(err)
		}
		op.Close()
		kept := op.Statement()
		if kept == nil {
			t.Errorf("%s was not kept", tag)
			continue
		}
		if plan, err := db.Plan(t.Context(), kept); err != nil || plan.Cost <= 0 {
			t.Errorf("%s: %+v, %v", tag, plan, err)
		}
	}
	op := store.NewOperation(1)
	op.KeepStatement("reportGroups")
	if _, err := db.TimeEntries(store.WithOperation(t.Context(), op), v, timesheet.EntryFilter{}, timesheet.Page{First: 1}); err != nil || op.Statement() != nil {
		t.Errorf("%v, kept %v of another statement", err, op.Statement())
	}
}
