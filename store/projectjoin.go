package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// ProjectJoins says what the statement of a list of projects reads beside them:
// their clients, and the seconds tracked on each in all time.
type ProjectJoins struct{ Client, Tracked bool }

// BesideProjects is what was read beside projects, by key. Nothing is read of the
// seconds, and the map is nil, where whoever asks sees only their own time, and
// where the sums that are kept are known to be wrong.
type BesideProjects struct {
	Clients map[timesheet.ClientID]timesheet.Client
	Seconds map[timesheet.ProjectID]int64
}

// What is not folded of the rollup's rows is added up for all projects, since which of
// them are on the page is not known before.
const joinTracked = `
LEFT JOIN project_total s ON s.workspace_id = $1 AND s.project_id = p.id
LEFT JOIN (
  SELECT r.project_id, sum(r.secs - r.folded_secs)::bigint AS secs
  FROM rollup r
  WHERE r.workspace_id = $1
    AND r.unfolded
  GROUP BY r.project_id
) u ON u.project_id = p.id`

// joinedTo is the statement of a page of projects with what is read beside them.
// Whoever sees a project sees its client.
func (j ProjectJoins) joinedTo(q selection[timesheet.Project], p timesheet.Page) (sql string, args arguments, err error) {
	args = q.args
	after, tail, err := q.order.window(p, &args)
	columns, joins := projectColumns, ""
	if j.Client {
		columns += ",\n       " + joinedClient
		joins += "\nLEFT JOIN client c ON c.workspace_id = $1 AND c.id = p.client_id"
	}
	if j.Tracked {
		columns += ",\n       coalesce(s.secs, 0) + coalesce(u.secs, 0)"
		joins += joinTracked
	}
	return "/* joinedProjects */\nSELECT " + columns + "\nFROM (\nSELECT p.*" + listedProjects + q.where + after + tail + "\n) p" + joins + tail, args, err
}

// scan reads the rows of joinedTo, one after the other, all into the same place.
func (j ProjectJoins) scan(into *BesideProjects) pgx.RowToFunc[timesheet.Project] {
	var p timesheet.Project
	var c timesheet.Client
	var seconds int64
	columns := projectFields(&p)
	if j.Client {
		into.Clients, columns = map[timesheet.ClientID]timesheet.Client{}, append(columns, clientFields(&c)...)
	}
	if j.Tracked {
		into.Seconds, columns = map[timesheet.ProjectID]int64{}, append(columns, &seconds)
	}
	return func(row pgx.CollectableRow) (timesheet.Project, error) {
		p, c = timesheet.Project{}, timesheet.Client{}
		if err := row.Scan(columns...); err != nil {
			return p, err
		}
		if c.ID != 0 {
			into.Clients[c.ID] = c
		}
		if j.Tracked {
			into.Seconds[p.ID] = seconds
		}
		return scannedProject(p), nil
	}
}

// ProjectsJoined is [Store.Projects] together with what is wanted beside them.
func (s *Store) ProjectsJoined(ctx context.Context, v timesheet.Viewer, f timesheet.ListFilter, o timesheet.ListOrder, p timesheet.Page, joins ProjectJoins) (page timesheet.Connection[timesheet.Project], beside BesideProjects, err error) {
	joins.Tracked = joins.Tracked && v.ReadsEverybody() && !v.Workspace.RollupDrifted
	if joins == (ProjectJoins{}) {
		page, err = s.Projects(ctx, v, f, o, p)
		return page, beside, err
	}
	q, err := projectSelection(v, f, o)
	if err != nil {
		return page, beside, err
	}
	sql, args, err := joins.joinedTo(q, p)
	if err != nil {
		return page, beside, err
	}
	if joins.Tracked {
		s.rests.note(v.Workspace.ID)
	}
	rows, err := list(ctx, s, joins.scan(&beside), sql, args...)
	if err != nil {
		return page, beside, fmt.Errorf("list projects: %w", err)
	}
	return q.page(s, p, rows), beside, nil
}
