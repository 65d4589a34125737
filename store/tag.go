package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

const tagColumns = `g.id, g.name, g.archived_at IS NOT NULL, g.deleted_at IS NOT NULL, g.version`

func scanTag(row pgx.CollectableRow) (g timesheet.Tag, err error) {
	err = row.Scan(&g.ID, &g.Name, &g.Archived, &g.Deleted, &g.Version)
	return g, err
}

const lockTag = `/* lockTag */
SELECT $3::bigint IS NOT NULL, false, ` + tagColumns + `
FROM tag g
WHERE g.workspace_id = $1
  AND g.id = $2
  AND g.deleted_at IS NULL
FOR NO KEY UPDATE OF g`

var tags = thing[timesheet.TagID, timesheet.Tag]{
	entity: "Tag", noun: "tag", alias: "g", lock: lockTag, scan: scanTag,
	head: func(g timesheet.Tag) (timesheet.TagID, string, int) { return g.ID, g.Name, g.Version },
	byID: (*Store).TagsByID,
}

const listTags = `/* listTags */
SELECT ` + tagColumns + `
FROM tag g
WHERE g.workspace_id = $1
  AND g.deleted_at IS NULL`

const countTags = `/* countTags */
SELECT count(*)
FROM tag g
WHERE g.workspace_id = $1
  AND g.deleted_at IS NULL`

// Tags lists the workspace's tags, archived ones too unless the filter says
// otherwise.
func (s *Store) Tags(ctx context.Context, v timesheet.Viewer, f timesheet.ListFilter, o timesheet.ListOrder, p timesheet.Page) (timesheet.Connection[timesheet.Tag], error) {
	q, err := tagSelection(v, f, o)
	if err != nil {
		return timesheet.Connection[timesheet.Tag]{}, err
	}
	page, err := q.read(ctx, s, p)
	if err != nil {
		return page, fmt.Errorf("list tags: %w", err)
	}
	return page, nil
}

func tagSelection(v timesheet.Viewer, f timesheet.ListFilter, o timesheet.ListOrder) (selection[timesheet.Tag], error) {
	args := arguments{v.Workspace.ID}
	where, err := tags.filter(f, &args)
	return selection[timesheet.Tag]{rows: listTags, count: countTags, where: where, args: args, order: tags.order(o), scan: scanTag}, err
}

const tagsByID = `/* tagsByID */
SELECT ` + tagColumns + `
FROM tag g
WHERE g.workspace_id = $1
  AND g.id = ANY ($2)`

// TagsByID returns the workspace's tags among ids, deleted ones too.
func (s *Store) TagsByID(ctx context.Context, v timesheet.Viewer, ids []timesheet.TagID) (map[timesheet.TagID]timesheet.Tag, error) {
	return byKey(ctx, s, "tags", scanTag, func(g timesheet.Tag) timesheet.TagID { return g.ID }, tagsByID, v.Workspace.ID, ids)
}

const insertTag = `/* insertTag */
INSERT INTO tag AS g (workspace_id, name, name_key)
VALUES ($1, $2, $3)
RETURNING ` + tagColumns

// CreateTag makes a tag; owners, admins and managers may.
func (s *Store) CreateTag(ctx context.Context, v timesheet.Viewer, in timesheet.TagInput, ch Change) (timesheet.Tag, []*timesheet.Error, error) {
	return tags.mutate(ctx, s, v, ch, func(tx pgx.Tx) (timesheet.Tag, error) {
		if err := mayCreate(v, "tags"); err != nil {
			return timesheet.Tag{}, err
		}
		name, key, err := renamed(in.Name, "")
		if err != nil {
			return timesheet.Tag{}, err
		}
		return tags.row(ctx, tx, insertTag, v.Workspace.ID, name, key)
	})
}

const updateTag = `/* updateTag */
UPDATE tag AS g
SET name = $3, name_key = $4, version = g.version + 1
WHERE g.workspace_id = $1
  AND g.id = $2
RETURNING ` + tagColumns

// UpdateTag renames a tag; owners, admins and managers may.
func (s *Store) UpdateTag(ctx context.Context, v timesheet.Viewer, id timesheet.TagID, in timesheet.TagInput, expected *int, ch Change) (timesheet.Tag, []*timesheet.Error, error) {
	return tags.edit(ctx, s, v, id, expected, ch, curates, func(tx pgx.Tx, before timesheet.Tag) (timesheet.Tag, error) {
		name, key, err := renamed(in.Name, before.Name)
		if err != nil {
			return timesheet.Tag{}, err
		}
		return tags.row(ctx, tx, updateTag, v.Workspace.ID, id, name, key)
	})
}

const archiveTag = `/* archiveTag */
UPDATE tag AS g
SET archived_at = CASE WHEN $3 THEN coalesce(g.archived_at, now()) END, version = g.version + 1
WHERE g.workspace_id = $1
  AND g.id = $2
RETURNING ` + tagColumns

// ArchiveTag takes a tag out of use or back into it; owners, admins and
// managers may.
func (s *Store) ArchiveTag(ctx context.Context, v timesheet.Viewer, id timesheet.TagID, archived bool, expected *int, ch Change) (timesheet.Tag, []*timesheet.Error, error) {
	return tags.run(ctx, s, v, id, expected, ch, curates, archiveTag, archived)
}

const deleteTag = `/* deleteTag */
UPDATE tag AS g
SET deleted_at = now(), version = g.version + 1
WHERE g.workspace_id = $1
  AND g.id = $2
RETURNING ` + tagColumns

// DeleteTag leaves a tombstone: entries keep the tag and its name. Owners and
// admins may.
func (s *Store) DeleteTag(ctx context.Context, v timesheet.Viewer, id timesheet.TagID, expected *int, ch Change) (timesheet.Tag, []*timesheet.Error, error) {
	return tags.run(ctx, s, v, id, expected, ch, governs, deleteTag)
}
