package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// Of several people of one name the first member is meant: rows come in the
// opposite order, so that theirs is kept.
const readImportPeople = `/* readImportPeople */
SELECT m.user_id, m.name_key, coalesce(m.email_key, '')
FROM membership m
WHERE m.workspace_id = $1
  AND m.deleted_at IS NULL
  AND (m.name_key = ANY ($2) OR m.email_key = ANY ($3))
ORDER BY m.user_id DESC`

const insertPlaceholders = `/* insertPlaceholders */
INSERT INTO membership (workspace_id, role, name, name_key, email, email_key)
SELECT $1, 'PLACEHOLDER', u.name, u.name_key, nullif(u.email, ''), nullif(u.email_key, '')
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS u (name, name_key, email, email_key, n)
ORDER BY u.n
ON CONFLICT (workspace_id, email_key) WHERE email_key IS NOT NULL AND deleted_at IS NULL DO NOTHING`

func (im *importer) resolvePeople(ctx context.Context, tx pgx.Tx, items []*importItem) error {
	var people wants[person]
	for _, it := range items {
		name := it.row.User
		if name == "" {
			name = it.row.Email
		}
		people.add(it.who, name, it.row.Email)
	}
	known := im.known.people
	err := lookup[person, timesheet.UserID]{
		known: known,
		read: func(all []wanted[person]) error {
			var user timesheet.UserID
			var nameKey, emailKey string
			rows, err := tx.Query(ctx, readImportPeople, im.v.Workspace.ID,
				valuesOf(all, func(w wanted[person]) string { return w.key.name }),
				valuesOf(all, func(w wanted[person]) string { return w.key.email }))
			return each(rows, err, []any{&user, &nameKey, &emailKey}, func() {
				known[person{name: nameKey}] = user
				if emailKey != "" {
					known[person{email: emailKey}] = user
				}
			})
		},
		insert: func(all []wanted[person]) error {
			_, err := tx.Exec(ctx, insertPlaceholders, im.v.Workspace.ID,
				valuesOf(all, func(w wanted[person]) string { return w.name }),
				valuesOf(all, func(w wanted[person]) string { return nameKey(w.name) }),
				valuesOf(all, func(w wanted[person]) string { return w.email }),
				valuesOf(all, func(w wanted[person]) string { return w.key.email }))
			return err
		},
		imagine: func(id int64) timesheet.UserID { return timesheet.UserID(id) },
	}.ensure(im, people)
	for _, it := range items {
		if it.entry.UserID = known[it.who]; it.entry.UserID != 0 {
			continue
		}
		field := timesheet.FieldUser
		if it.who.email != "" {
			field = timesheet.FieldUserEmail
		}
		it.unknown(field, "person")
	}
	return err
}

const readImportClients = `/* readImportClients */
SELECT c.id, c.name_key
FROM client c
WHERE c.workspace_id = $1
  AND c.deleted_at IS NULL
  AND c.name_key = ANY ($2)`

const insertImportClients = `/* insertImportClients */
INSERT INTO client (workspace_id, name, name_key)
SELECT $1, u.name, u.name_key
FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS u (name, name_key, n)
ORDER BY u.n
ON CONFLICT (workspace_id, name_key) WHERE deleted_at IS NULL DO NOTHING`

func (im *importer) resolveClients(ctx context.Context, tx pgx.Tx, items []*importItem) error {
	var clients wants[string]
	for _, it := range items {
		if it.project.client != "" {
			clients.add(it.project.client, it.row.Client, "")
		}
	}
	err := lookupByName(ctx, tx, im, im.known.clients, readImportClients, insertImportClients).ensure(im, clients)
	for _, it := range items {
		if it.project.client != "" && im.known.clients[it.project.client] == 0 {
			it.unknown(timesheet.FieldClient, "client")
		}
	}
	return err
}

const readImportTags = `/* readImportTags */
SELECT t.id, t.name_key
FROM tag t
WHERE t.workspace_id = $1
  AND t.deleted_at IS NULL
  AND t.name_key = ANY ($2)`

const insertImportTags = `/* insertImportTags */
INSERT INTO tag (workspace_id, name, name_key)
SELECT $1, u.name, u.name_key
FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS u (name, name_key, n)
ORDER BY u.n
ON CONFLICT (workspace_id, name_key) WHERE deleted_at IS NULL DO NOTHING`

func (im *importer) resolveTags(ctx context.Context, tx pgx.Tx, items []*importItem) error {
	var tags wants[string]
	for _, it := range items {
		for _, tag := range it.tags {
			tags.add(tag.key, tag.name, "")
		}
	}
	err := lookupByName(ctx, tx, im, im.known.tags, readImportTags, insertImportTags).ensure(im, tags)
	for _, it := range items {
		ids := make([]timesheet.TagID, len(it.tags))
		for i, tag := range it.tags {
			if ids[i] = im.known.tags[tag.key]; ids[i] == 0 {
				it.unknown(timesheet.FieldTags, "tag")
			}
		}
		it.entry.TagIDs = tagSet(ids)
	}
	return err
}

// lookupByName looks up things that are unique by their name in the workspace.
func lookupByName[K ~int64](ctx context.Context, tx pgx.Tx, im *importer, known map[string]K, read, insert string) lookup[string, K] {
	keyOf := func(w wanted[string]) string { return w.key }
	return lookup[string, K]{
		known: known,
		read: func(all []wanted[string]) error {
			var id K
			var nameKey string
			rows, err := tx.Query(ctx, read, im.v.Workspace.ID, valuesOf(all, keyOf))
			return each(rows, err, []any{&id, &nameKey}, func() { known[nameKey] = id })
		},
		insert: func(all []wanted[string]) error {
			_, err := tx.Exec(ctx, insert, im.v.Workspace.ID, valuesOf(all, func(w wanted[string]) string { return w.name }), valuesOf(all, keyOf))
			return err
		},
		imagine: func(id int64) K { return K(id) },
	}
}

// each scans every row and calls fn after each.
func each(rows pgx.Rows, err error, fields []any, fn func()) error {
	if err != nil {
		return err
	}
	_, err = pgx.ForEachRow(rows, fields, func() error { fn(); return nil })
	return err
}
