package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

const projectNames = `/* projectNames */
SELECT p.id, p.name, p.name_key, p.deleted_at IS NOT NULL, coalesce(p.client_id, 0)
FROM project p
WHERE p.workspace_id = $1
  AND p.id = ANY ($2)`

const clientNames = `/* clientNames */
SELECT c.id, c.name, c.name_key, c.deleted_at IS NOT NULL, 0::bigint
FROM client c
WHERE c.workspace_id = $1
  AND c.id = ANY ($2)`

const taskNames = `/* taskNames */
SELECT t.id, t.name, t.name_key, t.deleted_at IS NOT NULL, 0::bigint
FROM task t
WHERE t.workspace_id = $1
  AND t.id = ANY ($2)`

const userNames = `/* userNames */
SELECT m.user_id, m.name, m.name_key, m.deleted_at IS NOT NULL, 0::bigint
FROM membership m
WHERE m.workspace_id = $1
  AND m.user_id = ANY ($2)`

const tagNames = `/* tagNames */
SELECT g.id, g.name, g.name_key, g.deleted_at IS NOT NULL, 0::bigint
FROM tag g
WHERE g.workspace_id = $1
  AND g.id = ANY ($2)`

// names are the names of things of one kind by their ids.
type names map[int64]name

type name struct {
	id      int64
	text    string
	key     string // in the order of which names are sorted
	deleted bool
	client  int64 // of a project
}

func scanName(row pgx.CollectableRow) (n name, err error) {
	return n, row.Scan(&n.id, &n.text, &n.key, &n.deleted, &n.client)
}

// labels tell and name the rows of a report.
type labels struct {
	names     map[timesheet.GroupKey]names
	weekStart time.Weekday
}

// labelsOf reads the names that groups need, deleted things' too. A person
// keeps seeing the names of what they have worked on.
func labelsOf(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, by []timesheet.GroupKey, weekStart time.Weekday, groups []group) (labels, error) {
	l := labels{names: map[timesheet.GroupKey]names{}, weekStart: weekStart}
	if slices.Contains(by, timesheet.GroupClient) {
		if err := readNames(ctx, tx, v, timesheet.GroupProject, groups, l); err != nil {
			return l, err
		}
	}
	for _, key := range by {
		if dimensions[key].names == "" || l.names[key] != nil {
			continue
		}
		if err := readNames(ctx, tx, v, key, groups, l); err != nil {
			return l, err
		}
	}
	return l, nil
}

func readNames(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, key timesheet.GroupKey, groups []group, l labels) error {
	ids := map[int64]bool{}
	var room [1]int64
	var others breather
	for i := range groups {
		others.breathe()
		for _, id := range l.values(room[:0], key, &groups[i]) {
			ids[id] = true
		}
	}
	found, err := listIn(ctx, tx, scanName, dimensions[key].names, v.Workspace.ID, slices.Collect(maps.Keys(ids)))
	if err != nil {
		return fmt.Errorf("read the names of a report: %w", err)
	}
	l.names[key] = make(names, len(found))
	for _, n := range found {
		l.names[key][n.id] = n
	}
	return nil
}

// values appends the groups of a key that entries count in to what is empty:
// one, and each of their tags.
func (l labels) values(room []int64, key timesheet.GroupKey, g *group) []int64 {
	switch key {
	case timesheet.GroupUser:
		return append(room, int64(g.user))
	case timesheet.GroupProject:
		return append(room, int64(g.project))
	case timesheet.GroupClient:
		return append(room, l.names[timesheet.GroupProject][int64(g.project)].client)
	case timesheet.GroupTask:
		return append(room, int64(g.task))
	case timesheet.GroupTag:
		return appendTags(room, g.tags)
	case timesheet.GroupBillable:
		if g.billable {
			return append(room, 1)
		}
		return append(room, 0)
	}
	first, _ := key.Span(g.day, l.weekStart)
	return append(room, int64(first))
}

func appendTags(room []int64, tags []timesheet.TagID) []int64 {
	if len(tags) == 0 {
		return append(room, 0)
	}
	for _, id := range tags {
		room = append(room, int64(id))
	}
	return room
}

// label is how a row is called.
type label struct {
	key, text string
	order     string // labels are sorted by it
	last      bool   // after all others
}

func (l labels) of(key timesheet.GroupKey, value int64) label {
	d := dimensions[key]
	named := func(id, text, order string) label { return label{key: d.kind + ":" + id, text: text, order: order} }
	switch {
	case d.letters > 0:
		text := timesheet.Date(value).String()[:d.letters]
		return named(text, text, text)
	case key == timesheet.GroupBillable && value == 1:
		return named("true", "billable", "billable")
	case key == timesheet.GroupBillable:
		return named("false", "not billable", "not billable")
	case value == 0:
		none := named("none", timesheet.NoneLabel, "")
		none.last = true
		return none
	}
	n := l.names[key][value]
	if n.deleted {
		n.text += " (deleted)"
	}
	return named(strconv.FormatInt(value, 10), n.text, n.key)
}

func (a label) compare(b label) int {
	if a.last != b.last {
		if a.last {
			return 1
		}
		return -1
	}
	return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.text, b.text), cmp.Compare(a.key, b.key))
}
