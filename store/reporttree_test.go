package store

import (
	"context"
	"errors"
	"slices"
	"testing"

	"headroom/timesheet"
)

// tagged are groups of fifty tags each, no tag in two of them.
func tagged(n int) []group {
	groups := make([]group, n)
	for i := range groups {
		groups[i].sum.entries = 1
		for range 50 {
			groups[i].tags = append(groups[i].tags, timesheet.TagID(50*i+len(groups[i].tags)+1))
		}
	}
	return groups
}

func TestGrowStopsAtItsLimit(t *testing.T) {
	by := []timesheet.GroupKey{timesheet.GroupUser, timesheet.GroupTag}
	for name, tt := range map[string]struct {
		limit int
		code  timesheet.Code
	}{
		"all fit":       {limit: 5000},
		"one too many":  {limit: 4999, code: timesheet.CodeOutOfRange},
		"none would do": {limit: 0, code: timesheet.CodeOutOfRange},
	} {
		t.Run(name, func(t *testing.T) {
			root, err := growAll(t.Context(), tagged(100), timesheet.ReportInput{GroupBy: by}, labels{}, tt.limit)
			if broken, _ := timesheet.AsError(err); tt.code != "" && (broken == nil || broken.Code != tt.code) {
				t.Errorf("got error %v, want %s", err, tt.code)
			}
			if tt.code == "" && (err != nil || root.totals.EntryCount != 100 || below(root.below) != 5000) {
				t.Errorf("got %+v, error %v; want 100 entries and 5000 leaves", root, err)
			}
		})
	}
	t.Run("room is left below", func(t *testing.T) {
		w := grower{left: 7, nodes: map[place]*node{}}
		root := &node{}
		w.add(root, &tagged(1)[0], by)
		if made := below(root.below); made != 7 || w.left >= 0 {
			t.Errorf("%d leaves were made and %d are left, want 7 and none", made, w.left)
		}
	})
}

func below(n *node) int { return len(slices.Collect(n.below.side)) }

// leaving is a context that ends when it has been asked a number of times.
type leaving struct {
	context.Context
	asks int
	end  context.CancelCauseFunc
}

var errLeft = errors.New("the caller has left")

func (c *leaving) Err() error {
	if c.asks--; c.asks < 0 {
		c.end(errLeft)
	}
	return c.Context.Err()
}

func TestGrowStopsWhenNobodyWaits(t *testing.T) {
	groups := make([]group, 10*growCheck)
	for _, asks := range []int{0, 5} {
		ctx, end := context.WithCancelCause(t.Context())
		_, err := growAll(&leaving{ctx, asks, end}, groups, timesheet.ReportInput{GroupBy: []timesheet.GroupKey{timesheet.GroupUser}}, labels{}, 1)
		if !errors.Is(err, errLeft) {
			t.Errorf("who leaves after %d looks gets %v, want %v", asks, err, errLeft)
		}
	}
}
