package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// mayGiveRole tells whether the viewer may make somebody something.
func mayGiveRole(v timesheet.Viewer, role timesheet.Role) error {
	switch role {
	case timesheet.RoleOwner, timesheet.RoleAdmin, timesheet.RoleManager, timesheet.RoleMember, timesheet.RoleViewer:
	default:
		return timesheet.Errorf(timesheet.CodeInvalid, "role", "this role is not given to people: imported people have it until they are invited")
	}
	if !v.Admin() {
		return timesheet.Errorf(timesheet.CodeForbidden, "", "only owners and admins manage people")
	}
	if role == timesheet.RoleOwner && v.Role != timesheet.RoleOwner {
		return timesheet.Errorf(timesheet.CodeForbidden, "role", "only owners make owners")
	}
	return nil
}

// mayChangeMember tells whether the viewer may change a person's role or
// remove them.
func mayChangeMember(v timesheet.Viewer, u timesheet.User) error {
	if !v.Admin() {
		return timesheet.Errorf(timesheet.CodeForbidden, "", "only owners and admins manage people")
	}
	if u.Role == timesheet.RoleOwner && v.Role != timesheet.RoleOwner {
		return timesheet.Errorf(timesheet.CodeForbidden, "userId", "only owners change or remove owners")
	}
	return nil
}

// lockOwners makes changes of owners wait for each other, so that of two
// owners who step down at once one stays. Invited owners do not count.
const lockOwners = `/* lockOwners */
SELECT m.user_id
FROM membership m
WHERE m.workspace_id = $1
  AND m.role = 'OWNER'
  AND m.claim_id IS NULL
  AND m.deleted_at IS NULL
ORDER BY m.user_id
FOR NO KEY UPDATE`

const lockMember = `/* lockMember */
SELECT ` + memberColumns + `
FROM membership m
WHERE m.workspace_id = $1
  AND m.user_id = $2
  AND m.deleted_at IS NULL
FOR NO KEY UPDATE`

// lockToChange finds a person whom the viewer may change. leaves says whether
// they stop being an owner if they are one.
func lockToChange(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, id timesheet.UserID, leaves bool) (user timesheet.User, err error) {
	rows, err := tx.Query(ctx, lockOwners, v.Workspace.ID)
	if err != nil {
		return user, err
	}
	owners, err := pgx.CollectRows(rows, pgx.RowTo[timesheet.UserID])
	if err != nil {
		return user, err
	}
	rows, err = tx.Query(ctx, lockMember, v.Workspace.ID, id)
	if err != nil {
		return user, err
	}
	found, err := pgx.CollectRows(rows, memberRow(v))
	if err != nil {
		return user, err
	}
	if len(found) == 0 {
		return user, timesheet.NotFound("userId", "user")
	}
	if err := mayChangeMember(v, found[0]); err != nil {
		return user, err
	}
	if leaves && len(owners) == 1 && owners[0] == id {
		return user, timesheet.Errorf(timesheet.CodeLastOwner, "userId", "a workspace keeps at least one owner")
	}
	return found[0], nil
}

const updateRole = `/* updateRole */
UPDATE membership AS m
SET role = $3, version = version + 1
WHERE m.workspace_id = $1
  AND m.user_id = $2
RETURNING ` + memberColumns

// SetRole changes what a person may do.
func (s *Store) SetRole(ctx context.Context, v timesheet.Viewer, id timesheet.UserID, role timesheet.Role, ch Change) (timesheet.User, []*timesheet.Error, error) {
	user, warnings, err := write(ctx, s, v, ch, func(tx pgx.Tx) (timesheet.User, Ref, error) {
		user, err := setRole(ctx, tx, v, id, role)
		return user, userRef(user), err
	}, func(ctx context.Context, _ Ref) (timesheet.User, error) {
		return s.readUser(ctx, v, id)
	})
	s.views.forget(v.Workspace.ID)
	return user, warnings, err
}

func setRole(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, id timesheet.UserID, role timesheet.Role) (user timesheet.User, err error) {
	if err := mayGiveRole(v, role); err != nil {
		return user, err
	}
	before, err := lockToChange(ctx, tx, v, id, role != timesheet.RoleOwner)
	if err != nil {
		return user, err
	}
	if before.Role == timesheet.RolePlaceholder {
		return user, timesheet.Errorf(timesheet.CodeInvalid, "userId", "this person was imported and has no account; invite them instead")
	}
	rows, err := tx.Query(ctx, updateRole, v.Workspace.ID, id, role)
	if err != nil {
		return user, err
	}
	return pgx.CollectExactlyOneRow(rows, memberRow(v))
}

const removeMember = `/* removeMember */
UPDATE membership AS m
SET deleted_at = now(), claim_id = NULL, claim_expires_at = NULL, version = version + 1
WHERE m.workspace_id = $1
  AND m.user_id = $2
RETURNING ` + memberColumns

// stopTimersOf ends a running timer now, within the bounds of an entry.
const stopTimersOf = `/* stopTimersOf */
UPDATE time_entry
SET ended_at = least(greatest(date_trunc('second', now()), started_at), started_at + interval '7 days'),
    version = version + 1
WHERE workspace_id = $1
  AND user_id = $2
  AND ended_at IS NULL
  AND deleted_at IS NULL`

const revokeTokensOf = `/* revokeTokensOf */
UPDATE api_token
SET revoked_at = now()
WHERE workspace_id = $1
  AND user_id = $2
  AND revoked_at IS NULL`

// RemoveMember takes a person out of the workspace: their running timer stops,
// their tokens end, their entries stay.
func (s *Store) RemoveMember(ctx context.Context, v timesheet.Viewer, id timesheet.UserID, ch Change) (timesheet.User, []*timesheet.Error, error) {
	user, warnings, err := write(ctx, s, v, ch, func(tx pgx.Tx) (timesheet.User, Ref, error) {
		user, err := removeUser(ctx, tx, v, id)
		return user, userRef(user), err
	}, func(ctx context.Context, _ Ref) (timesheet.User, error) {
		return s.readUser(ctx, v, id)
	})
	s.views.forget(v.Workspace.ID)
	return user, warnings, err
}

func removeUser(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, id timesheet.UserID) (user timesheet.User, err error) {
	if _, err := lockToChange(ctx, tx, v, id, true); err != nil {
		return user, err
	}
	rows, err := tx.Query(ctx, removeMember, v.Workspace.ID, id)
	if err != nil {
		return user, err
	}
	if user, err = pgx.CollectExactlyOneRow(rows, memberRow(v)); err != nil {
		return user, err
	}
	for _, sql := range []string{stopTimersOf, revokeTokensOf} {
		if _, err := tx.Exec(ctx, sql, v.Workspace.ID, id); err != nil {
			return user, err
		}
	}
	return user, nil
}
