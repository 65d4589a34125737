package store

import (
	"context"
	"fmt"

	"headroom/timesheet"
)

const forgetKeys = `/* forgetKeys */
DELETE FROM idempotency
WHERE ctid = ANY (ARRAY(
  SELECT ctid
  FROM idempotency
  WHERE created_at < now() - interval '72 hours'
  LIMIT 1000))`

// ForgetKeys deletes the results of mutations that are kept for repeats once
// they are older than 72 hours, longer than clients go on repeating. It works
// in small bites, so that it never holds many locks.
func (s *Store) ForgetKeys(ctx context.Context) (forgotten int64, err error) {
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassBackground})
	for {
		n, err := s.exec(ctx, forgetKeys)
		forgotten += n
		if err != nil {
			return forgotten, fmt.Errorf("forget idempotency keys: %w", err)
		}
		if n == 0 {
			return forgotten, nil
		}
	}
}
