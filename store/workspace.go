package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

const workspaceColumns = `w.workspace_id, w.name, w.time_zone, w.week_start, w.currency, w.overlap_policy, w.version`

// workspaceFields are where workspaceColumns are scanned into.
func workspaceFields(w *timesheet.Workspace) []any {
	return []any{&w.ID, &w.Name, &w.TimeZone, &w.WeekStart, &w.Currency, &w.OverlapPolicy, &w.Version}
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

// key is an id as text, for audit and results of repeats.
func key[T ~int64](id T) string { return strconv.FormatInt(int64(id), 10) }
