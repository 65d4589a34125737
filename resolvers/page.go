package resolvers

import (
	"context"
	"fmt"

	"headroom/dataloader"
	"headroom/graph"
	"headroom/store"
	"headroom/timesheet"
)

// asker is who asks.
func asker(ctx context.Context) (timesheet.Viewer, error) {
	v, ok := timesheet.ViewerFrom(ctx)
	if !ok {
		return v, fmt.Errorf("this field needs a token: %w", store.ErrNoViewer)
	}
	return v, nil
}

// slice reads a list's paging arguments: exactly one of first and last, and above 0. The
// store refuses more than [timesheet.MaxPage].
func slice(first *int, after *string, last *int, before *string) (timesheet.Page, error) {
	p := timesheet.Page{First: orZero(first), Last: orZero(last), After: orZero(after), Before: orZero(before)}
	if (first == nil) == (last == nil) || p.First+p.Last < 1 {
		return p, timesheet.Errorf(timesheet.CodeInvalid, "first", "give either first or last, from 1 to %d", timesheet.MaxPage)
	}
	return p, nil
}

// page reads a part of a list for whoever asks. level, where it is not nil,
// announces its items to the loaders.
func page[T any](ctx context.Context, first *int, after *string, last *int, before *string, level func(*dataloader.Set, []T),
	read func(timesheet.Viewer, timesheet.Page) (timesheet.Connection[T], error),
) (*graph.Connection[T], error) {
	v, err := asker(ctx)
	if err != nil {
		return nil, err
	}
	p, err := slice(first, after, last, before)
	if err != nil {
		return nil, err
	}
	c, err := read(v, p)
	if err != nil {
		return nil, err
	}
	if level != nil {
		level(dataloader.From(ctx), c.Nodes)
	}
	return (*graph.Connection[T])(&c), nil
}
