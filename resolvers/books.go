package resolvers

import (
	"context"
	"strings"
	"unicode/utf8"

	"headroom/graph"
	"headroom/store"
	"headroom/timesheet"
)

// LockPeriod closes the books through a day.
func (m mutation) LockPeriod(ctx context.Context, in graph.LockPeriodInput) (*graph.WorkspacePayload, error) {
	return change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.Workspace, []*timesheet.Error, error) {
		if err := checkReason(in.Reason.Value()); err != nil {
			return timesheet.Workspace{}, nil, err
		}
		return m.Store.LockPeriod(ctx, v, in.Through, ch)
	})
}

// UnlockPeriod opens closed books.
func (m mutation) UnlockPeriod(ctx context.Context, in graph.UnlockPeriodInput) (*graph.WorkspacePayload, error) {
	return change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.Workspace, []*timesheet.Error, error) {
		if err := checkReason(in.Reason.Value()); err != nil {
			return timesheet.Workspace{}, nil, err
		}
		return m.Store.UnlockPeriod(ctx, v, in.KeepThrough.Value(), ch)
	})
}

// checkReason bounds what the audit log keeps.
func checkReason(text *string) error {
	switch {
	case text == nil:
		return nil
	case strings.ContainsRune(*text, 0):
		return timesheet.Errorf(timesheet.CodeInvalid, "reason", "a reason is text without U+0000")
	case utf8.RuneCountInString(*text) > timesheet.MaxDescription:
		return timesheet.Errorf(timesheet.CodeInvalid, "reason", "a reason has at most %d characters, this one has %d", timesheet.MaxDescription, utf8.RuneCountInString(*text))
	}
	return nil
}
