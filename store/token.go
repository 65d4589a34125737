package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

const tokenColumns = `t.id, t.user_id, t.name, t.scope, t.created_at, t.expires_at, t.revoked_at`

func scanToken(row pgx.CollectableRow) (t timesheet.Token, err error) {
	return t, row.Scan(&t.ID, &t.UserID, &t.Name, &t.Scope, &t.CreatedAt, &t.ExpiresAt, &t.RevokedAt)
}

// NewToken describes a token to be made.
type NewToken struct {
	User      timesheet.UserID
	Name      string
	Scope     timesheet.Scope
	ExpiresAt *time.Time // nil: never
}

const tokenHolder = `/* tokenHolder */
SELECT m.role
FROM membership m
WHERE m.workspace_id = $1
  AND m.user_id = $2
  AND m.deleted_at IS NULL
FOR SHARE`

const insertToken = `/* insertToken */
INSERT INTO api_token AS t (workspace_id, user_id, name, scope, expires_at)
VALUES ($1, $2, $3, $4, $5)
RETURNING ` + tokenColumns

// CreateToken makes a token, for the viewer or, by owners and admins, for
// others; an owner's is made by owners only, since it lets its holder do what
// owners may. Its text is not made here: it follows from its id.
func (s *Store) CreateToken(ctx context.Context, v timesheet.Viewer, n NewToken, ch Change) (timesheet.Token, []*timesheet.Error, error) {
	return write(ctx, s, v, ch, func(tx pgx.Tx) (timesheet.Token, Ref, error) {
		token, err := createToken(ctx, tx, v, n)
		return token, tokenRef(token), err
	}, func(ctx context.Context, ref Ref) (timesheet.Token, error) {
		return s.readToken(ctx, v, ref)
	})
}

func tokenRef(t timesheet.Token) Ref { return Ref{Entity: "Token", ID: key(t.ID)} }

func createToken(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, n NewToken) (token timesheet.Token, err error) {
	name, err := checkToken(n)
	if err != nil {
		return token, err
	}
	rows, err := tx.Query(ctx, tokenHolder, v.Workspace.ID, n.User)
	if err != nil {
		return token, err
	}
	roles, err := pgx.CollectRows(rows, pgx.RowTo[timesheet.Role])
	if err != nil {
		return token, err
	}
	if len(roles) == 0 {
		return token, timesheet.NotFound("userId", "user")
	}
	if err := mayCreateToken(v, n.User, roles[0]); err != nil {
		return token, err
	}
	n.Name = name
	return addToken(ctx, tx, v, n)
}

func addToken(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, n NewToken) (token timesheet.Token, err error) {
	rows, err := tx.Query(ctx, insertToken, v.Workspace.ID, n.User, n.Name, n.Scope, n.ExpiresAt)
	if err != nil {
		return token, err
	}
	return pgx.CollectExactlyOneRow(rows, scanToken)
}

func checkToken(n NewToken) (name string, err error) {
	name, _, err = cleanName("name", n.Name)
	switch {
	case err != nil:
		return "", err
	case n.Scope != timesheet.ScopeRead && n.Scope != timesheet.ScopeWrite:
		return "", timesheet.Errorf(timesheet.CodeInvalid, "scope", "a token's scope is READ or WRITE")
	case n.ExpiresAt != nil && !n.ExpiresAt.After(time.Now()):
		return "", timesheet.Errorf(timesheet.CodeInvalid, "expiresAt", "a token expires in the future")
	}
	return name, nil
}

func mayCreateToken(v timesheet.Viewer, user timesheet.UserID, role timesheet.Role) error {
	switch {
	case role == timesheet.RolePlaceholder:
		return timesheet.Errorf(timesheet.CodeInvalid, "userId", "this person was imported and has no account; invite them first")
	case user == v.User, v.Role == timesheet.RoleOwner, v.Admin() && role != timesheet.RoleOwner:
		return nil
	}
	return timesheet.Errorf(timesheet.CodeForbidden, "userId", "you may not make a token for this person")
}

const readToken = `/* readToken */
SELECT ` + tokenColumns + `
FROM api_token t
WHERE t.workspace_id = $1
  AND t.id = $2::text::bigint`

func (s *Store) readToken(ctx context.Context, v timesheet.Viewer, ref Ref) (timesheet.Token, error) {
	token, ok, err := one(ctx, s, scanToken, readToken, v.Workspace.ID, ref.ID)
	if err == nil && !ok {
		err = timesheet.NotFound("id", "token")
	}
	return token, err
}

// revokeToken finds other people's tokens for owners and admins only.
const revokeToken = `/* revokeToken */
UPDATE api_token AS t
SET revoked_at = coalesce(t.revoked_at, now())
WHERE t.workspace_id = $1
  AND t.id = $2
  AND ($3 OR t.user_id = $4)
RETURNING ` + tokenColumns

// RevokeToken ends a token, the viewer's own or, for owners and admins,
// anybody's. Revoking it again changes nothing.
func (s *Store) RevokeToken(ctx context.Context, v timesheet.Viewer, id timesheet.TokenID, ch Change) (timesheet.Token, []*timesheet.Error, error) {
	token, warnings, err := write(ctx, s, v, ch, func(tx pgx.Tx) (token timesheet.Token, ref Ref, err error) {
		rows, err := tx.Query(ctx, revokeToken, v.Workspace.ID, id, v.Admin(), v.User)
		if err != nil {
			return token, ref, err
		}
		token, err = pgx.CollectExactlyOneRow(rows, scanToken)
		if errors.Is(err, pgx.ErrNoRows) {
			err = timesheet.NotFound("id", "token")
		}
		return token, tokenRef(token), err
	}, func(ctx context.Context, ref Ref) (timesheet.Token, error) {
		return s.readToken(ctx, v, ref)
	})
	s.views.forget(v.Workspace.ID)
	return token, warnings, err
}

const findToken = `/* findToken */
SELECT t.name, w.name
FROM api_token t
JOIN workspace w ON w.workspace_id = t.workspace_id
WHERE t.id = $1`

// FindToken returns the name of a token and that of its workspace, and whether there
// is such a token. It is for operators.
func (s *Store) FindToken(ctx context.Context, id timesheet.TokenID) (token, workspace string, ok bool, err error) {
	found, ok, err := one(ctx, s, func(row pgx.CollectableRow) (names [2]string, err error) {
		return names, row.Scan(&names[0], &names[1])
	}, findToken, id)
	if err != nil {
		return "", "", false, fmt.Errorf("find a token: %w", err)
	}
	return found[0], found[1], ok, nil
}
