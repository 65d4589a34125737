package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// loadChunk is how many entries one COPY carries. It bounds what a chunk
// holds in memory here, and there what waits for the checks of its references.
const loadChunk = 10_000

func (l *load) writeEntries(ctx context.Context, tx pgx.Tx) error {
	if l.c.Entries == nil {
		return nil
	}
	written := 0
	chunk := make([]timesheet.CompanyEntry, 0, loadChunk)
	flush := func() error {
		if err := l.price(ctx, tx, chunk); err != nil {
			return err
		}
		row := make([]any, len(loadColumns))
		err := copyTo(ctx, tx, "time_entry", loadColumns, len(chunk), func(i int) ([]any, error) { return row, l.fill(row, chunk[i]) })
		written += len(chunk)
		chunk = chunk[:0]
		if err == nil && l.progress != nil {
			l.progress(written)
		}
		return err
	}
	for e := range l.c.Entries {
		chunk = append(chunk, e)
		if len(chunk) == loadChunk {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

func (l *load) fold(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, foldLoaded, l.owner.Workspace.ID)
	return err
}

var loadColumns = []string{
	"workspace_id", "id", "user_id", "project_id", "task_id", "started_at", "ended_at", "day",
	"billable", "rate_minor", "cost_minor", "currency", "tag_ids", "description",
}

// fill makes an entry a row of loadColumns.
func (l *load) fill(row []any, e timesheet.CompanyEntry) error {
	project, err := keyAt(l.projects, e.Project)
	if err != nil {
		return err
	}
	task, err := keyAt(l.tasks, e.Task)
	if err != nil {
		return err
	}
	if e.Task != -1 && l.c.Tasks[e.Task].Project != e.Project {
		return fmt.Errorf("the company has task %d in project %d, not %d", e.Task, l.c.Tasks[e.Task].Project, e.Project)
	}
	tags := make([]int64, len(e.Tags))
	for i, tag := range e.Tags {
		if tag < 0 || tag >= len(l.tags) {
			return outOfCompany(tag, len(l.tags))
		}
		tags[i] = l.tags[tag]
	}
	start := wholeSecond(e.Start)
	row[0], row[1], row[2] = l.owner.Workspace.ID, l.entryID(start), l.users[e.User].ID
	row[3], row[4], row[5], row[6] = project, task, start, start.Add(time.Duration(e.Seconds)*time.Second)
	row[7] = time.Unix(int64(timesheet.DayOf(start, l.zone))*86400, 0).UTC()
	rate := l.rates[duty{e.User, e.Project}] // price has found it
	row[8], row[9], row[10], row[11], row[12], row[13] = e.Billable, rate.Bill, rate.Cost, rate.Currency, tags, e.Description
	return nil
}

// entryID is an id of version 7 as a client would have minted it at the start.
func (l *load) entryID(start time.Time) (id [16]byte) {
	binary.BigEndian.PutUint64(id[:8], uint64(start.UnixMilli())<<16|l.random.Uint64()&0x0fff|0x7000)
	binary.BigEndian.PutUint64(id[8:], l.random.Uint64()>>2|1<<63)
	return id
}
