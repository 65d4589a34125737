package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

const clientColumns = `c.id, c.name, c.archived_at IS NOT NULL, c.deleted_at IS NOT NULL, c.version`

func scanClient(row pgx.CollectableRow) (c timesheet.Client, err error) {
	return c, row.Scan(clientFields(&c)...)
}

// clientFields are where clientColumns are scanned into.
func clientFields(c *timesheet.Client) []any {
	return []any{(*int64)(&c.ID), &c.Name, &c.Archived, &c.Deleted, &c.Version}
}

const lockClient = `/* lockClient */
SELECT EXISTS (
    SELECT FROM project p
    JOIN project_member pm ON pm.workspace_id = p.workspace_id AND pm.project_id = p.id
    WHERE p.workspace_id = $1 AND p.client_id = c.id AND pm.user_id = $3),
  false, ` + clientColumns + `
FROM client c
WHERE c.workspace_id = $1
  AND c.id = $2
  AND c.deleted_at IS NULL
FOR NO KEY UPDATE OF c`

var clients = thing[timesheet.ClientID, timesheet.Client]{
	entity: "Client", noun: "client", alias: "c", lock: lockClient, scan: scanClient,
	head: func(c timesheet.Client) (timesheet.ClientID, string, int) { return c.ID, c.Name, c.Version },
	byID: (*Store).ClientsByID,
}

// clientsSeen is the part of a WHERE clause on client c that leaves those the
// viewer may see: a member the clients of the projects they belong to.
func clientsSeen(v timesheet.Viewer, args *arguments) string {
	if v.ReadsEverybody() {
		return ""
	}
	return `
  AND EXISTS (
    SELECT FROM project p
    JOIN project_member pm ON pm.workspace_id = p.workspace_id AND pm.project_id = p.id
    WHERE p.workspace_id = $1 AND p.client_id = c.id AND pm.user_id = ` + args.add(v.User) + `)`
}

const listClients = `/* listClients */
SELECT ` + clientColumns + `
FROM client c
WHERE c.workspace_id = $1
  AND c.deleted_at IS NULL`

const countClients = `/* countClients */
SELECT count(*)
FROM client c
WHERE c.workspace_id = $1
  AND c.deleted_at IS NULL`

// Clients lists the clients that the viewer may see, archived ones too unless
// the filter says otherwise.
func (s *Store) Clients(ctx context.Context, v timesheet.Viewer, f timesheet.ListFilter, o timesheet.ListOrder, p timesheet.Page) (timesheet.Connection[timesheet.Client], error) {
	q, err := clientSelection(v, f, o)
	if err != nil {
		return timesheet.Connection[timesheet.Client]{}, err
	}
	page, err := q.read(ctx, s, p)
	if err != nil {
		return page, fmt.Errorf("list clients: %w", err)
	}
	return page, nil
}

func clientSelection(v timesheet.Viewer, f timesheet.ListFilter, o timesheet.ListOrder) (selection[timesheet.Client], error) {
	args := arguments{v.Workspace.ID}
	where := clientsSeen(v, &args)
	narrowed, err := clients.filter(f, &args)
	return selection[timesheet.Client]{
		rows: listClients, count: countClients, where: where + narrowed, args: args,
		order: clients.order(o), scan: scanClient,
	}, err
}

const clientsByID = `/* clientsByID */
SELECT ` + clientColumns + `
FROM client c
WHERE c.workspace_id = $1
  AND c.id = ANY ($2)`

// ClientsByID returns the clients among ids that the viewer may see, deleted
// ones too.
func (s *Store) ClientsByID(ctx context.Context, v timesheet.Viewer, ids []timesheet.ClientID) (map[timesheet.ClientID]timesheet.Client, error) {
	args := arguments{v.Workspace.ID, ids}
	sql := clientsByID + clientsSeen(v, &args)
	return byKey(ctx, s, "clients", scanClient, func(c timesheet.Client) timesheet.ClientID { return c.ID }, sql, args...)
}

const insertClient = `/* insertClient */
INSERT INTO client AS c (workspace_id, name, name_key)
VALUES ($1, $2, $3)
RETURNING ` + clientColumns

// CreateClient makes a client; owners, admins and managers may.
func (s *Store) CreateClient(ctx context.Context, v timesheet.Viewer, in timesheet.ClientInput, ch Change) (timesheet.Client, []*timesheet.Error, error) {
	return clients.mutate(ctx, s, v, ch, func(tx pgx.Tx) (timesheet.Client, error) {
		if err := mayCreate(v, "clients"); err != nil {
			return timesheet.Client{}, err
		}
		name, key, err := renamed(in.Name, "")
		if err != nil {
			return timesheet.Client{}, err
		}
		return clients.row(ctx, tx, insertClient, v.Workspace.ID, name, key)
	})
}

const updateClient = `/* updateClient */
UPDATE client AS c
SET name = $3, name_key = $4, version = c.version + 1
WHERE c.workspace_id = $1
  AND c.id = $2
RETURNING ` + clientColumns

// UpdateClient renames a client; owners, admins and managers may.
func (s *Store) UpdateClient(ctx context.Context, v timesheet.Viewer, id timesheet.ClientID, in timesheet.ClientInput, expected *int, ch Change) (timesheet.Client, []*timesheet.Error, error) {
	return clients.edit(ctx, s, v, id, expected, ch, curates, func(tx pgx.Tx, before timesheet.Client) (timesheet.Client, error) {
		name, key, err := renamed(in.Name, before.Name)
		if err != nil {
			return timesheet.Client{}, err
		}
		return clients.row(ctx, tx, updateClient, v.Workspace.ID, id, name, key)
	})
}

const archiveClient = `/* archiveClient */
UPDATE client AS c
SET archived_at = CASE WHEN $3 THEN coalesce(c.archived_at, now()) END, version = c.version + 1
WHERE c.workspace_id = $1
  AND c.id = $2
RETURNING ` + clientColumns

// ArchiveClient takes a client out of use or back into it, and leaves its
// projects alone; owners, admins and managers may.
func (s *Store) ArchiveClient(ctx context.Context, v timesheet.Viewer, id timesheet.ClientID, archived bool, expected *int, ch Change) (timesheet.Client, []*timesheet.Error, error) {
	return clients.run(ctx, s, v, id, expected, ch, curates, archiveClient, archived)
}

const deleteClient = `/* deleteClient */
UPDATE client AS c
SET deleted_at = now(), version = c.version + 1
WHERE c.workspace_id = $1
  AND c.id = $2
RETURNING ` + clientColumns

const archiveProjectsOf = `/* archiveProjectsOf */
UPDATE project AS p
SET archived_at = now(), version = p.version + 1
WHERE p.workspace_id = $1
  AND p.client_id = $2
  AND p.archived_at IS NULL
  AND p.deleted_at IS NULL`

// DeleteClient leaves a tombstone and archives the client's projects: no time
// is lost with a client. Owners and admins may.
func (s *Store) DeleteClient(ctx context.Context, v timesheet.Viewer, id timesheet.ClientID, expected *int, ch Change) (timesheet.Client, []*timesheet.Error, error) {
	return clients.edit(ctx, s, v, id, expected, ch, governs, func(tx pgx.Tx, _ timesheet.Client) (timesheet.Client, error) {
		if _, err := tx.Exec(ctx, archiveProjectsOf, v.Workspace.ID, id); err != nil {
			return timesheet.Client{}, err
		}
		return clients.row(ctx, tx, deleteClient, v.Workspace.ID, id)
	})
}

// clientForUse locks a client against deletion while it is given a project, and
// tells what speaks against that. It comes before the lock of the project, for
// DeleteClient locks in this order.
func clientForUse(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, id *timesheet.ClientID) (refusal *timesheet.Error, err error) {
	if id == nil {
		return nil, nil
	}
	anybody := func(timesheet.Viewer, bool) bool { return true }
	client, err := clients.locked(ctx, tx, v, "clientId", *id, anybody)
	if refusal, ok := timesheet.AsError(err); ok {
		return refusal, nil
	}
	if client.Archived {
		refusal = timesheet.Errorf(timesheet.CodeArchived, "clientId", "this client is archived")
	}
	return refusal, err
}
