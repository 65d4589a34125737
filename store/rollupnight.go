package store

import (
	"context"
	"errors"
	"fmt"

	"headroom/timesheet"
)

const tryNight = `/* tryNight */
SELECT pg_try_advisory_lock(hashtext('headroom rollup check'))`

const endNight = `/* endNight */
SELECT pg_advisory_unlock(hashtext('headroom rollup check'))`

// CheckRollups checks the rollup of every workspace and repairs those that
// drifted, which it returns. Of several replicas one works, the others return
// at once.
func (s *Store) CheckRollups(ctx context.Context) (drifted []RollupCheck, err error) {
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassBackground})
	conn, err := s.pool(ctx).Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("check rollups: %w", err)
	}
	defer conn.Release()
	var ours bool
	if err := conn.QueryRow(ctx, tryNight).Scan(&ours); err != nil || !ours {
		return nil, err
	}
	defer func() {
		ctx, cancel := settling(ctx)
		defer cancel()
		if _, undo := conn.Exec(ctx, endNight); undo != nil {
			err = errors.Join(err, undo, conn.Conn().Close(ctx)) // ends the lock too
		}
	}()
	all, err := s.FindWorkspaces(ctx, "")
	if err != nil {
		return nil, err
	}
	for _, w := range all {
		found, err := s.CheckRollup(ctx, w)
		if err == nil && found.Drifted() {
			drifted = append(drifted, found)
			_, err = s.RebuildRollup(ctx, w)
		}
		if err != nil {
			return drifted, err
		}
	}
	return drifted, nil
}
