package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

const (
	readCounts = `/* readCounts */
SELECT c.counts, c.counted_at
FROM workspace_counts c
WHERE c.workspace_id = $1
  AND c.counted_at > $2`

	// Of two servers that count at once the first wins, and both use its counts.
	saveCounts = `/* saveCounts */
INSERT INTO workspace_counts AS c (workspace_id, counted_at, counts)
SELECT $1, now(), $3
ON CONFLICT (workspace_id)
DO UPDATE SET counted_at = excluded.counted_at, counts = excluded.counts
WHERE c.workspace_id = $1
  AND c.counted_at <= $2`
)

// SharedCounts are a workspace's counts that were made after a time, by whichever
// server needed them first, so that all servers price alike. at is when they were
// made.
func (s *Store) SharedCounts(ctx context.Context, ws timesheet.WorkspaceID, after time.Time) (c *Counts, at time.Time, err error) {
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassBackground})
	if c, at, err = s.keptCounts(ctx, ws, after); err != nil || c != nil {
		return c, at, err
	}
	made, err := s.Counts(ctx, ws)
	if err != nil {
		return nil, at, err
	}
	text, err := json.Marshal(made)
	if err != nil {
		return nil, at, fmt.Errorf("keep counts: %w", err)
	}
	if _, err := s.exec(ctx, saveCounts, ws, after, text); err != nil {
		return nil, at, fmt.Errorf("keep counts: %w", err)
	}
	if c, at, err = s.keptCounts(ctx, ws, after); err == nil && c == nil {
		c, at = made, time.Now() // the database's clock is far behind ours
	}
	return c, at, err
}

type keptCounts struct {
	counts []byte
	at     time.Time
}

// keptCounts is nil where none were made after the time.
func (s *Store) keptCounts(ctx context.Context, ws timesheet.WorkspaceID, after time.Time) (*Counts, time.Time, error) {
	kept, ok, err := one(ctx, s, func(row pgx.CollectableRow) (k keptCounts, err error) {
		return k, row.Scan(&k.counts, &k.at)
	}, readCounts, ws, after)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("read counts: %w", err)
	}
	if !ok {
		return nil, time.Time{}, nil
	}
	c := &Counts{}
	if err := json.Unmarshal(kept.counts, c); err != nil {
		return nil, time.Time{}, nil // of another version of the program: they are made anew
	}
	return c, kept.at, nil
}

// monthlyText is a Monthly as JSON: entries by month, from the first.
type monthlyText struct {
	First   string  `json:"first"` // a date
	Entries []int64 `json:"entries"`
}

// MarshalJSON implements json.Marshaler.
func (m Monthly) MarshalJSON() ([]byte, error) {
	if len(m.sums) == 0 {
		return []byte("null"), nil
	}
	text := monthlyText{First: firstDay(m.first).String()}
	for i := range m.sums {
		text.Entries = append(text.Entries, m.before(m.first+i+1)-m.before(m.first+i))
	}
	return json.Marshal(text)
}

// UnmarshalJSON implements json.Unmarshaler. Entries below zero are refused.
func (m *Monthly) UnmarshalJSON(raw []byte) error {
	var text *monthlyText
	if err := json.Unmarshal(raw, &text); err != nil || text == nil {
		*m = Monthly{}
		return err
	}
	first, err := timesheet.ParseDate(text.First)
	if err != nil {
		return fmt.Errorf("entries by month: %w", err)
	}
	*m = Monthly{first: monthOf(first)}
	for i, n := range text.Entries {
		if n < 0 {
			return fmt.Errorf("entries by month: %d entries in month %d", n, i)
		}
		m.sums = append(m.sums, m.total()+n)
	}
	return nil
}

const countedTenants = `/* countedTenants */
SELECT c.workspace_id
FROM workspace_counts c
WHERE c.counted_at > $1
ORDER BY c.counted_at DESC
LIMIT $2`

// CountedWorkspaces are those of which counts are kept that were made after a time,
// the latest first.
func (s *Store) CountedWorkspaces(ctx context.Context, after time.Time, most int) ([]timesheet.WorkspaceID, error) {
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassBackground})
	found, err := list(ctx, s, pgx.RowTo[timesheet.WorkspaceID], countedTenants, after, most)
	if err != nil {
		return nil, fmt.Errorf("find the counted workspaces: %w", err)
	}
	return found, nil
}

const largestTenants = `/* largestTenants */
SELECT r.workspace_id
FROM rollup r
GROUP BY r.workspace_id
HAVING sum(r.entries) > 0
ORDER BY sum(r.entries) DESC, r.workspace_id
LIMIT $1`

// LargestWorkspaces are those with the most entries, the largest first.
func (s *Store) LargestWorkspaces(ctx context.Context, most int) ([]timesheet.WorkspaceID, error) {
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassBackground})
	found, err := list(ctx, s, pgx.RowTo[timesheet.WorkspaceID], largestTenants, most)
	if err != nil {
		return nil, fmt.Errorf("find the largest workspaces: %w", err)
	}
	return found, nil
}
