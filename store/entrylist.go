package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"headroom/timesheet"
)

// newestEntries is the order of lists of entries. It is the order of the
// indexes by user, by project and by neither, read backwards.
var newestEntries = keyset[timesheet.TimeEntry]{
	name:    "entries",
	columns: []string{"e.started_at", "e.id"},
	types:   []string{"timestamptz", "uuid"},
	desc:    true,
	values: func(e timesheet.TimeEntry) []string {
		return []string{e.StartedAt.Format(time.RFC3339), e.ID.String()}
	},
}

// TimeEntries lists the entries that the viewer may see, newest first, running
// timers included.
func (s *Store) TimeEntries(ctx context.Context, v timesheet.Viewer, f timesheet.EntryFilter, p timesheet.Page) (timesheet.Connection[timesheet.TimeEntry], error) {
	found, _, err := s.TimeEntriesJoined(ctx, v, f, p, Joins{})
	return found, err
}

// TimeEntriesJoined is [Store.TimeEntries] together with what they refer to.
func (s *Store) TimeEntriesJoined(ctx context.Context, v timesheet.Viewer, f timesheet.EntryFilter, p timesheet.Page, joins Joins) (found timesheet.Connection[timesheet.TimeEntry], refs Referred, err error) {
	if err := checkFilter(f); err != nil {
		return found, refs, err
	}
	sql, args, err := entriesPage(v, f, p, joins)
	if err != nil {
		return found, refs, err
	}
	rows, err := list(ctx, s, joins.scan(v, &refs), sql, args...)
	if err != nil {
		return found, refs, fmt.Errorf("list entries: %w", err)
	}
	found = newestEntries.page(p, rows)
	found.Total = func(ctx context.Context) (int, error) {
		sql, args := entriesCount(v, f)
		n, err := s.count(ctx, sql, args...)
		if err != nil {
			return 0, fmt.Errorf("count entries: %w", err)
		}
		return n, nil
	}
	return found, refs, nil
}

// entriesPage is the statement of one page of entries. Where several projects
// or people are asked for, no index has all of their entries in order: the
// page is put together from the page of each, which reads at most a page for
// each instead of all they ever tracked.
func entriesPage(v timesheet.Viewer, f timesheet.EntryFilter, p timesheet.Page, joins Joins) (string, arguments, error) {
	var args arguments
	where := listConditions(v, f, &args)
	after, tail, err := newestEntries.window(p, &args)
	if err != nil {
		return "", nil, err
	}
	from := "time_entry e\nWHERE " + where + after
	if keys, column := severalKeys(v, f, &args); keys != "" {
		from = "(" + keys + ") AS k (id)\nCROSS JOIN LATERAL (\nSELECT *\nFROM time_entry e\nWHERE " + where +
			"\n  AND " + column + " = k.id" + after + tail + ") AS e"
	}
	return joins.statement("entriesPage", v, "e.*\nFROM "+from+tail, tail, &args), args, nil
}

// severalKeys is a query for the projects or people that the filter asks for,
// and the column they stand in. It is empty where one index has the list in
// order: that of one person, of one project or of the workspace.
func severalKeys(v timesheet.Viewer, f timesheet.EntryFilter, args *arguments) (keys, column string) {
	with := func(query string, ids any) string { return strings.ReplaceAll(query, "?", args.add(ids)) }
	switch {
	case !v.ReadsEverybody() || len(f.Users) == 1 || len(f.Projects) == 1:
		return "", ""
	case len(f.Tasks) > 0:
		return with(projectsOfTasks+" GROUP BY t.project_id", f.Tasks), "e.project_id"
	case len(f.Projects) > 1:
		return with("SELECT DISTINCT unnest(?::bigint[])", f.Projects), "e.project_id"
	case len(f.Clients) > 0:
		return with(projectsOfClients, f.Clients), "e.project_id"
	case len(f.Users) > 1:
		return with("SELECT DISTINCT unnest(?::bigint[])", f.Users), "e.user_id"
	}
	return "", ""
}

// entriesCount is the statement that counts a list of entries.
func entriesCount(v timesheet.Viewer, f timesheet.EntryFilter) (string, arguments) {
	var args arguments
	return "/* entriesCount */\nSELECT count(*)\nFROM time_entry e\nWHERE " + listConditions(v, f, &args), args
}

func listConditions(v timesheet.Viewer, f timesheet.EntryFilter, args *arguments) string {
	where := entryConditions(v, f, args)
	if f.Period != nil {
		where += startRange(*f.Period, args)
	}
	return where
}
