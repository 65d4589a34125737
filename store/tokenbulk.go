package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// Holder is a person with a token.
type Holder struct {
	User  timesheet.User
	Token timesheet.Token
}

const ensureTokens = `/* ensureTokens */
INSERT INTO api_token (workspace_id, user_id, name, scope)
SELECT $1, m.user_id, $2, 'WRITE'
FROM membership m
WHERE m.workspace_id = $1
  AND m.role <> 'PLACEHOLDER'
  AND m.deleted_at IS NULL
  AND NOT EXISTS (SELECT FROM api_token t WHERE t.workspace_id = $1 AND t.user_id = m.user_id AND t.name = $2 AND t.scope = 'WRITE' AND t.expires_at IS NULL AND t.revoked_at IS NULL)
ORDER BY m.user_id`

const readHolders = `/* readHolders */
SELECT DISTINCT ON (m.user_id) ` + memberColumns + `, ` + tokenColumns + `
FROM api_token t
JOIN membership m ON m.workspace_id = t.workspace_id AND m.user_id = t.user_id
WHERE t.workspace_id = $1
  AND t.name = $2
  AND t.scope = 'WRITE'
  AND t.expires_at IS NULL
  AND t.revoked_at IS NULL
  AND m.deleted_at IS NULL
ORDER BY m.user_id, t.id`

// EnsureTokens gives everybody in the viewer's workspace who can sign in a
// token of a name, valid for everything until it is revoked, unless they have
// one, and returns all people with such a token. It is for operators, who act
// as an owner.
func (s *Store) EnsureTokens(ctx context.Context, v timesheet.Viewer, name string) ([]Holder, error) {
	name, _, err := cleanName("name", name)
	if err != nil {
		return nil, err
	}
	ch := Change{Action: "ensureTokens", Input: map[string]any{"name": name}}
	holders, _, err := write(ctx, s, v, ch, func(tx pgx.Tx) ([]Holder, Ref, error) {
		ref := Ref{Entity: "Workspace", ID: key(v.Workspace.ID)}
		if _, err := tx.Exec(ctx, ensureTokens, v.Workspace.ID, name); err != nil {
			return nil, ref, err
		}
		rows, err := tx.Query(ctx, readHolders, v.Workspace.ID, name)
		if err != nil {
			return nil, ref, err
		}
		holders, err := pgx.CollectRows(rows, scanHolder)
		return holders, ref, err
	}, nil)
	if err != nil {
		return nil, fmt.Errorf("make tokens for all: %w", err)
	}
	return holders, nil
}

func scanHolder(row pgx.CollectableRow) (h Holder, err error) {
	t := &h.Token
	return h, row.Scan(append(memberFields(&h.User), &t.ID, &t.UserID, &t.Name, &t.Scope, &t.CreatedAt, &t.ExpiresAt, &t.RevokedAt)...)
}
