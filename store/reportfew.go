package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// groupsNamed gives groups the names of their projects, and of these's clients.
const (
	groupsNamed = `/* reportGroups */
SELECT g.*,
       coalesce(p.id, 0), coalesce(p.name, ''), coalesce(p.name_key, ''), p.deleted_at IS NOT NULL, coalesce(p.client_id, 0)%s
FROM (
%s
) AS g (user_id, project_id)
LEFT JOIN project p ON p.workspace_id = $1 AND p.id = g.project_id`

	groupsNamedClients = `,
       coalesce(c.id, 0), coalesce(c.name, ''), coalesce(c.name_key, ''), c.deleted_at IS NOT NULL`

	groupsOfClients = `
LEFT JOIN client c ON c.workspace_id = $1 AND c.id = p.client_id`
)

// reportOfFewSums reads the groups of a report that few sums are read for, with
// their names. To read so little takes less than to ask for it: it is one statement,
// which sees one moment without a transaction around it.
func (s *Store) reportOfFewSums(ctx context.Context, v timesheet.Viewer, in timesheet.ReportInput, plan timesheet.ReportPlan, now time.Time) ([]group, map[timesheet.GroupKey]names, error) {
	sql, args := namedGroups(v, in, plan, now)
	projects, clients := names{}, names{}
	var p, c name
	var beside []any
	byClient := slices.Contains(in.GroupBy, timesheet.GroupClient)
	if byClient || slices.Contains(in.GroupBy, timesheet.GroupProject) {
		beside = append(beside, &p.id, &p.text, &p.key, &p.deleted, &p.client)
	}
	if byClient {
		beside = append(beside, &c.id, &c.text, &c.key, &c.deleted)
	}
	scan := scanGroups(beside...)
	groups, err := list(ctx, s, func(row pgx.CollectableRow) (group, error) {
		g, err := scan(row)
		projects[p.id], clients[c.id] = p, c // nobody looks for 0, which is none
		return g, err
	}, sql, args...)
	return groups, map[timesheet.GroupKey]names{timesheet.GroupProject: projects, timesheet.GroupClient: clients}, err
}

// namedGroups is the report's statement with the names of projects and clients, where
// it groups by them.
func namedGroups(v timesheet.Viewer, in timesheet.ReportInput, plan timesheet.ReportPlan, now time.Time) (string, arguments) {
	sql, args := reportGroups(v, in, plan, now)
	switch {
	case slices.Contains(in.GroupBy, timesheet.GroupClient):
		sql = fmt.Sprintf(groupsNamed, groupsNamedClients, sql) + groupsOfClients
	case slices.Contains(in.GroupBy, timesheet.GroupProject):
		sql = fmt.Sprintf(groupsNamed, "", sql)
	}
	return sql, args
}
