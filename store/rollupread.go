package store

import (
	"context"
	"fmt"
	"sync"
	"time"

	"headroom/timesheet"
)

// foldAfter is how many statements add up the rests of a workspace before these are
// folded, those of the last months too. To fold a row, and to write it away from its
// page when it changes next, takes about as long as to add it up that often. So the
// database never works for much more than twice as long as if it had known beforehand
// how often what would be read.
const foldAfter = 150

// restsRead counts the statements that have added up a workspace's rests since it was
// last folded because of that.
type restsRead struct {
	mu    sync.Mutex
	of    map[timesheet.WorkspaceID]int
	often chan struct{} // told of each that was read often enough
}

func newRestsRead() restsRead {
	return restsRead{of: map[timesheet.WorkspaceID]int{}, often: make(chan struct{}, 1)}
}

func (r *restsRead) note(ws timesheet.WorkspaceID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of[ws]++; r.of[ws] != foldAfter {
		return
	}
	select {
	case r.often <- struct{}{}:
	default: // it is told already
	}
}

// OftenRead is told when there is something to do for [Store.FoldOftenRead].
func (s *Store) OftenRead() <-chan struct{} { return s.rests.often }

// take takes the workspaces whose rests were read so often that they are to be folded.
func (r *restsRead) take() (all []timesheet.WorkspaceID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for ws, n := range r.of {
		if n >= foldAfter {
			delete(r.of, ws)
			all = append(all, ws)
		}
	}
	return all
}

// afterAll is later than any entry.
var afterAll = timesheet.NewDate(2300, time.January, 1)

// FoldOftenRead folds all months of those workspaces whose rests this server has read
// often, and returns how many rows of the rollup it has folded.
func (s *Store) FoldOftenRead(ctx context.Context) (rows int, err error) {
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassBackground})
	for _, ws := range s.rests.take() {
		n, err := s.foldBefore(ctx, ws, afterAll)
		rows += n
		if err != nil {
			return rows, fmt.Errorf("fold sums that are read often: %w", err)
		}
	}
	return rows, nil
}
