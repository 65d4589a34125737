package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"headroom/store"
	"headroom/timesheet"
)

// A rehearsal checks what it is given as every call does, and runs no statement: not
// of a list, a batch, a snapshot, a kept report or a change.
func TestRehearsalsAskNothing(t *testing.T) {
	s, owner, _ := newDatabase(t)
	op := store.NewRehearsal()
	ctx := store.WithOperation(t.Context(), op)
	report := timesheet.ReportInput{Period: timesheet.Period{From: 0, To: 9}, GroupBy: []timesheet.GroupKey{timesheet.GroupUser}, MaxRows: 1}
	wrong := report
	wrong.GroupBy = nil
	now := time.Now()
	for name, test := range map[string]struct {
		err  error
		rule bool
	}{
		"a page":           {second(s.Tags(ctx, owner, timesheet.ListFilter{}, timesheet.OrderName, timesheet.Page{First: 1})), false},
		"a text too long":  {second(s.Tags(ctx, owner, timesheet.ListFilter{Text: strings.Repeat("x", 256)}, timesheet.OrderName, timesheet.Page{First: 1})), true},
		"a cursor of none": {second(s.Tags(ctx, owner, timesheet.ListFilter{}, timesheet.OrderName, timesheet.Page{First: 1, After: "x"})), true},
		"people by ids":    {second(s.UsersByID(ctx, owner, []timesheet.UserID{owner.User})), false},
		"a report":         {second(s.Report(ctx, owner, report, now)), false},
		"one without keys": {second(s.Report(ctx, owner, wrong, now)), true},
		"a summary":        {second(s.Summary(ctx, owner, report.Period, now)), false},
		"one of no time":   {second(s.Summary(ctx, owner, timesheet.Period{From: 1, To: 0}, now)), true},
	} {
		if _, rule := timesheet.AsError(test.err); rule != test.rule || !rule && !errors.Is(test.err, store.ErrRehearsed) {
			t.Errorf("%s: %v", name, test.err)
		}
	}
	if _, _, err := s.CreateTag(ctx, owner, tagNamed("rehearsed"), withKey("k", "x")); !errors.Is(err, store.ErrRehearsed) {
		t.Errorf("a change: %v", err)
	}
	if n := op.Statements(); n != 0 {
		t.Errorf("%d statements were run", n)
	}
	if report, err := s.Report(t.Context(), owner, report, now); err != nil || report.Source == timesheet.SourceCache {
		t.Errorf("after its rehearsal a report is %v, from %s", err, report.Source)
	}
}

func second[T any](_ T, err error) error { return err }
