package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

const workspaceColumns = `w.workspace_id, w.name, w.time_zone, w.week_start, w.currency, w.overlap_policy, w.locked_through, w.pending_time_zone, w.version, w.rollup_drifted`

// workspaceFields are where workspaceColumns are scanned into.
func workspaceFields(w *timesheet.Workspace) []any {
	return []any{&w.ID, &w.Name, &w.TimeZone, &w.WeekStart, &w.Currency, &w.OverlapPolicy, &w.LockedThrough, &w.PendingTimeZone, &w.Version, &w.RollupDrifted}
}

func scanWorkspace(row pgx.CollectableRow) (w timesheet.Workspace, err error) {
	return w, row.Scan(workspaceFields(&w)...)
}

// NewWorkspace describes a workspace and its first owner.
type NewWorkspace struct {
	Name      string
	TimeZone  string // IANA name
	WeekStart time.Weekday
	Currency  string // ISO 4217
	Owner     Person
}

// Person is a name and an address.
type Person struct{ Name, Email string }

const insertWorkspace = `/* insertWorkspace */
INSERT INTO workspace AS w (name, time_zone, week_start, currency)
VALUES ($1, $2, $3, $4)
RETURNING ` + workspaceColumns

// CreateWorkspace makes a workspace with its first owner and returns the
// owner as a viewer. It is for operators: nobody's rights are asked.
func (s *Store) CreateWorkspace(ctx context.Context, n NewWorkspace) (timesheet.Viewer, error) {
	v := timesheet.Viewer{Role: timesheet.RoleOwner, Scope: timesheet.ScopeWrite}
	name, _, err := cleanName("name", n.Name)
	if err != nil {
		return v, err
	}
	if _, err := timesheet.LoadZone(n.TimeZone); err != nil {
		return v, err
	}
	if err := timesheet.CheckCurrency("currency", n.Currency); err != nil {
		return v, err
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, insertWorkspace, name, n.TimeZone, n.WeekStart, n.Currency)
		if err != nil {
			return err
		}
		if v.Workspace, err = pgx.CollectExactlyOneRow(rows, scanWorkspace); err != nil {
			return err
		}
		owner, err := addMember(ctx, tx, v, n.Owner, timesheet.RoleOwner)
		v.User = owner.ID
		return err
	})
	if err != nil {
		return timesheet.Viewer{}, fmt.Errorf("create a workspace: %w", err)
	}
	return v, nil
}

const findWorkspaces = `/* findWorkspaces */
SELECT ` + workspaceColumns + `
FROM workspace w
WHERE $1 = '' OR w.name = $1
ORDER BY w.workspace_id`

const findMembership = `/* findMembership */
SELECT m.workspace_id
FROM membership m
WHERE m.email_key = $1
  AND m.deleted_at IS NULL
ORDER BY m.workspace_id
LIMIT 1`

// FindMembership is the oldest workspace that somebody with an address belongs
// to. It is for operators.
func (s *Store) FindMembership(ctx context.Context, email string) (ws timesheet.WorkspaceID, found bool, err error) {
	_, key, err := cleanEmail("email", email)
	if err != nil {
		return 0, false, err
	}
	return one(ctx, s, pgx.RowTo[timesheet.WorkspaceID], findMembership, key)
}

// FindWorkspaces returns the workspaces of a name, or all for none, oldest
// first. It is for operators.
func (s *Store) FindWorkspaces(ctx context.Context, name string) ([]timesheet.Workspace, error) {
	found, err := list(ctx, s, scanWorkspace, findWorkspaces, name)
	if err != nil {
		return nil, fmt.Errorf("find workspaces: %w", err)
	}
	return found, nil
}

const readOwner = `/* readOwner */
SELECT ` + workspaceColumns + `, m.user_id
FROM workspace w
JOIN membership m ON m.workspace_id = w.workspace_id
WHERE w.workspace_id = $1
  AND m.role = 'OWNER'
  AND m.deleted_at IS NULL
ORDER BY m.user_id
LIMIT 1`

// OwnerViewer is the workspace's first owner as a viewer, in whose name
// commands of the operator act.
func (s *Store) OwnerViewer(ctx context.Context, ws timesheet.WorkspaceID) (timesheet.Viewer, error) {
	owner, ok, err := one(ctx, s, func(row pgx.CollectableRow) (timesheet.Viewer, error) {
		v := timesheet.Viewer{Role: timesheet.RoleOwner, Scope: timesheet.ScopeWrite}
		return v, row.Scan(append(workspaceFields(&v.Workspace), &v.User)...)
	}, readOwner, ws)
	if err != nil {
		return owner, fmt.Errorf("find the owner: %w", err)
	}
	if !ok {
		return owner, timesheet.NotFound("", "workspace")
	}
	return owner, nil
}

const lockWorkspace = `/* lockWorkspace */
SELECT ` + workspaceColumns + `
FROM workspace w
WHERE w.workspace_id = $1
FOR NO KEY UPDATE`

const updateWorkspace = `/* updateWorkspace */
UPDATE workspace AS w
SET name = $2, week_start = $3, overlap_policy = $4, pending_time_zone = $5, version = version + 1
WHERE w.workspace_id = $1
RETURNING ` + workspaceColumns

// UpdateWorkspace changes the viewer's workspace, for owners and admins. A new
// zone is pending until all entries have moved to their days in it, which goes
// on beside the requests; until then everything follows the old one. Where
// expected is not the current version, the current workspace comes with the
// error.
func (s *Store) UpdateWorkspace(ctx context.Context, v timesheet.Viewer, in timesheet.WorkspaceInput, expected *int, ch Change) (timesheet.Workspace, []*timesheet.Error, error) {
	w, warnings, err := write(ctx, s, v, ch, func(tx pgx.Tx) (timesheet.Workspace, Ref, error) {
		w, err := changeWorkspace(ctx, tx, v, in, expected)
		return w, workspaceRef(w), err
	}, s.workspaceAgain(v))
	s.views.forget(v.Workspace.ID)
	if err == nil && in.TimeZone.Given && w.PendingTimeZone != nil {
		s.changeZone(v.Workspace.ID)
	}
	return w, warnings, err
}

// pendingZone is the zone that entries will be moved to, if one is asked for or
// was before. Asking again for the same one is no second change.
func pendingZone(w timesheet.Workspace, asked timesheet.Opt[string]) (*string, error) {
	switch {
	case !asked.Given, w.PendingTimeZone == nil && asked.Value == w.TimeZone:
		return w.PendingTimeZone, nil
	case w.PendingTimeZone != nil && asked.Value != *w.PendingTimeZone:
		return nil, timesheet.Errorf(timesheet.CodeBusy, "timeZone", "entries are being moved to their days in %s; try again when that is done", *w.PendingTimeZone)
	}
	_, err := timesheet.LoadZone(asked.Value)
	return &asked.Value, err
}

func workspaceRef(w timesheet.Workspace) Ref {
	return Ref{Entity: "Workspace", ID: key(w.ID), Version: w.Version}
}

// workspaceAgain loads the workspace for the repeat of a mutation.
func (s *Store) workspaceAgain(v timesheet.Viewer) func(context.Context, Ref) (timesheet.Workspace, error) {
	return func(ctx context.Context, _ Ref) (timesheet.Workspace, error) {
		w, _, err := one(ctx, s, scanWorkspace, readWorkspace, v.Workspace.ID)
		return w, err
	}
}

const readWorkspace = `/* readWorkspace */
SELECT ` + workspaceColumns + `
FROM workspace w
WHERE w.workspace_id = $1`

// workspaceLocked locks the workspace's row for a change of it.
func workspaceLocked(ctx context.Context, tx pgx.Tx, v timesheet.Viewer) (timesheet.Workspace, error) {
	rows, err := tx.Query(ctx, lockWorkspace, v.Workspace.ID)
	if err != nil {
		return timesheet.Workspace{}, err
	}
	return pgx.CollectExactlyOneRow(rows, scanWorkspace)
}

func changeWorkspace(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, in timesheet.WorkspaceInput, expected *int) (w timesheet.Workspace, err error) {
	if !v.Admin() {
		return w, timesheet.Errorf(timesheet.CodeForbidden, "", "only owners and admins change the workspace")
	}
	if w, err = workspaceLocked(ctx, tx, v); err != nil {
		return w, err
	}
	if err := checkVersion(expected, w.Version); err != nil {
		return w, err
	}
	if in.Name.Given {
		if w.Name, _, err = cleanName("name", in.Name.Value); err != nil {
			return w, err
		}
	}
	if w.PendingTimeZone, err = pendingZone(w, in.TimeZone); err != nil {
		return w, err
	}
	rows, err := tx.Query(ctx, updateWorkspace, v.Workspace.ID, w.Name, in.WeekStart.Or(w.WeekStart), in.OverlapPolicy.Or(w.OverlapPolicy), w.PendingTimeZone)
	if err != nil {
		return w, err
	}
	return pgx.CollectExactlyOneRow(rows, scanWorkspace)
}

// key is an id as text, for audit and results of repeats.
func key[T ~int64](id T) string { return strconv.FormatInt(int64(id), 10) }
