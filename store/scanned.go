package store

import (
	"context"
	"fmt"

	"headroom/timesheet"
)

const readScanned = `/* readScanned */
SELECT tup_returned
FROM pg_stat_database
WHERE datname = current_database()`

// Scanned is how many rows of tables and entries of indexes scans of the database have
// gone through since its statistics began, whoever asked. Busy backends tell theirs
// once a second.
func (s *Store) Scanned(ctx context.Context) (int, error) {
	n, err := s.count(timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassControl}), readScanned)
	if err != nil {
		return 0, fmt.Errorf("read how much was scanned: %w", err)
	}
	return n, nil
}
