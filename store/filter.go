package store

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"headroom/timesheet"
)

// checkFilter refuses what no statement could be made of, the period last.
func checkFilter(f timesheet.EntryFilter) error {
	if !utf8.ValidString(f.Text) || strings.ContainsRune(f.Text, 0) || utf8.RuneCountInString(f.Text) > timesheet.MaxDescription {
		return timesheet.Errorf(timesheet.CodeInvalid, "filter.text", "the text is UTF-8, without U+0000 and of at most %d characters", timesheet.MaxDescription)
	}
	if f.Period != nil {
		return f.Period.Check("filter.period")
	}
	return nil
}

// entryConditions are the conditions of a WHERE clause on time_entry e that
// leave the entries a viewer may see and a filter asks for. The workspace is
// the first parameter.
func entryConditions(v timesheet.Viewer, f timesheet.EntryFilter, args *arguments) string {
	where := scopeConditions(v, f, args) + "\n  AND e.deleted_at IS NULL"
	and := conditionsTo(&where, args)
	if f.Period != nil {
		and("e.day >= ?", f.Period.From)
		and("e.day <= ?", f.Period.To)
	}
	oneOf(f.Tasks, "e.task_id", and)
	if len(f.Tasks) > 0 {
		and("e.project_id IN ("+projectsOfTasks+")", f.Tasks) // there is no index by task
	}
	if len(f.Tags) > 0 {
		and("e.tag_ids && ?", f.Tags)
	}
	if f.Text != "" {
		and("e.description ILIKE ?", "%"+likeEscaper.Replace(f.Text)+"%")
	}
	return where
}

// scopeConditions are those of them that the rollup, as e, can answer too.
func scopeConditions(v timesheet.Viewer, f timesheet.EntryFilter, args *arguments) string {
	if len(*args) == 0 {
		args.add(v.Workspace.ID)
	}
	where := "e.workspace_id = $1"
	and := conditionsTo(&where, args)
	if !v.ReadsEverybody() {
		and("e.user_id = ?", v.User)
	}
	oneOf(f.Users, "e.user_id", and)
	oneOf(projectKeys(f.Projects), "e.project_id", and)
	if len(f.Clients) > 0 {
		and("e.project_id IN ("+projectsOfClients+")", f.Clients)
	}
	if f.Billable != nil {
		and("e.billable = ?", *f.Billable)
	}
	return where
}

// projectKeys are projects to compare a column with. What names no project is
// the zero key, which in a rollup is time without a project: such time is never
// asked for by a key, so that one becomes a key that nothing has.
func projectKeys(ids []timesheet.ProjectID) []timesheet.ProjectID {
	keys := slices.Clone(ids)
	for i, id := range keys {
		if id == 0 {
			keys[i] = -1
		}
	}
	return keys
}

// conditionsTo adds conditions, in which ? stands for a value, to a clause.
func conditionsTo(where *string, args *arguments) func(condition string, value any) {
	return func(condition string, value any) {
		*where += "\n  AND " + strings.ReplaceAll(condition, "?", args.add(value))
	}
}

// What stands for ? are ids; the workspace is the first parameter.
const (
	projectsOfClients = `SELECT p.id FROM project p WHERE p.workspace_id = $1 AND p.client_id = ANY (?)`
	projectsOfTasks   = `SELECT t.project_id FROM task t WHERE t.workspace_id = $1 AND t.id = ANY (?)`
)

// oneOf compares with a single value by equality, which keeps the order of an
// index that begins with the column.
func oneOf[T any](values []T, column string, and func(string, any)) {
	switch len(values) {
	case 0:
	case 1:
		and(column+" = ?", values[0])
	default:
		and(column+" = ANY (?)", values)
	}
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// startRange repeats a period of days as instants, one day wider on both
// sides so that it holds in every zone. The days decide; the instants let
// indexes that end with started_at find them.
func startRange(p timesheet.Period, args *arguments) string {
	from := time.Unix(int64(p.From-1)*86400, 0).UTC()
	to := time.Unix(int64(p.To+2)*86400, 0).UTC()
	return fmt.Sprintf("\n  AND e.started_at >= %s\n  AND e.started_at < %s", args.add(from), args.add(to))
}
