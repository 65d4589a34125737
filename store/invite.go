package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// Invite describes a person to be invited.
type Invite struct {
	Name, Email string
	Role        timesheet.Role
}

// Invited is an invitation. Whoever brings the claim's id, which the server
// signs, gets the person's first token until ExpiresAt, 7 days on.
type Invited struct {
	User      timesheet.User
	ClaimID   int64
	ExpiresAt time.Time
}

const lockInvited = `/* lockInvited */
SELECT ` + memberColumns + `, m.account_id IS NOT NULL
FROM membership m
WHERE m.workspace_id = $1
  AND m.email_key = $2
  AND m.deleted_at IS NULL
FOR NO KEY UPDATE`

const insertInvited = `/* insertInvited */
INSERT INTO membership AS m (workspace_id, role, name, name_key, email, email_key, claim_id, claim_expires_at)
VALUES ($1, $2, $3, $4, $5, $6, nextval('object_id'), now() + interval '7 days')
RETURNING ` + memberColumns + `, m.claim_id, m.claim_expires_at`

const renewInvited = `/* renewInvited */
UPDATE membership AS m
SET role = $3, name = $4, name_key = $5, claim_id = nextval('object_id'),
    claim_expires_at = now() + interval '7 days', version = version + 1
WHERE m.workspace_id = $1
  AND m.user_id = $2
RETURNING ` + memberColumns + `, m.claim_id, m.claim_expires_at`

// InviteMember adds a person, or renews the invitation of one who has not come
// yet; an imported person of the address becomes the invited one.
func (s *Store) InviteMember(ctx context.Context, v timesheet.Viewer, in Invite, ch Change) (Invited, []*timesheet.Error, error) {
	invited, warnings, err := write(ctx, s, v, ch, func(tx pgx.Tx) (Invited, Ref, error) {
		return invite(ctx, tx, v, in)
	}, func(ctx context.Context, ref Ref) (Invited, error) {
		var first Invited
		return first, json.Unmarshal(ref.Results, &first)
	})
	s.views.forget(v.Workspace.ID)
	return invited, warnings, err
}

func invite(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, in Invite) (invited Invited, ref Ref, err error) {
	if err := mayGiveRole(v, in.Role); err != nil {
		return invited, ref, err
	}
	name, nameKey, err := cleanName("name", in.Name)
	if err != nil {
		return invited, ref, err
	}
	email, emailKey, err := cleanEmail("email", in.Email)
	if err != nil {
		return invited, ref, err
	}
	known, err := findInvited(ctx, tx, v, emailKey)
	if err != nil {
		return invited, ref, err
	}
	var rows pgx.Rows
	if known == 0 {
		rows, err = tx.Query(ctx, insertInvited, v.Workspace.ID, in.Role, name, nameKey, email, emailKey)
	} else {
		rows, err = tx.Query(ctx, renewInvited, v.Workspace.ID, known, in.Role, name, nameKey)
	}
	if err != nil {
		return invited, ref, err
	}
	invited, err = pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (i Invited, err error) {
		return i, row.Scan(append(memberFields(&i.User), &i.ClaimID, &i.ExpiresAt)...)
	})
	if err != nil {
		return invited, ref, err
	}
	ref = userRef(invited.User)
	ref.Results, err = json.Marshal(invited)
	return invited, ref, err
}

// findInvited is the person of an address who may still be invited, 0 for
// nobody. An invited owner is left to owners.
func findInvited(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, emailKey string) (timesheet.UserID, error) {
	rows, err := tx.Query(ctx, lockInvited, v.Workspace.ID, emailKey)
	if err != nil {
		return 0, err
	}
	var arrived bool
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (u timesheet.User, err error) {
		return u, row.Scan(append(memberFields(&u), &arrived)...)
	})
	switch {
	case err != nil, len(found) == 0:
		return 0, err
	case arrived:
		return 0, rules["membership_email"]
	}
	return found[0].ID, mayChangeMember(v, found[0])
}

const lockClaim = `/* lockClaim */
SELECT m.name, m.email
FROM membership m
WHERE m.workspace_id = $1
  AND m.user_id = $2
  AND m.claim_id = $3
  AND m.claim_expires_at > now()
  AND m.deleted_at IS NULL
FOR NO KEY UPDATE`

const takeClaim = `/* takeClaim */
UPDATE membership
SET account_id = $3, name = $4, name_key = $5, claim_id = NULL, claim_expires_at = NULL, version = version + 1
WHERE workspace_id = $1
  AND user_id = $2`

// ClaimInvite turns an invitation into the person's account and first token.
// name is how they want to be called; nil keeps the invitation's name.
func (s *Store) ClaimInvite(ctx context.Context, ws timesheet.WorkspaceID, user timesheet.UserID, claimID int64, name, key *string) (timesheet.Token, timesheet.Viewer, error) {
	v := timesheet.Viewer{Workspace: timesheet.Workspace{ID: ws}, User: user}
	ch := Change{Action: "claimInvite", Key: key, Input: map[string]any{"claimId": claimID, "name": name}}
	token, _, err := write(ctx, s, v, ch, func(tx pgx.Tx) (timesheet.Token, Ref, error) {
		token, err := claim(ctx, tx, v, claimID, name)
		return token, tokenRef(token), err
	}, func(ctx context.Context, ref Ref) (timesheet.Token, error) {
		return s.readToken(ctx, v, ref)
	})
	if err != nil {
		return token, timesheet.Viewer{}, err
	}
	s.views.forget(ws)
	v, err = s.Viewer(ctx, ws, user, token.ID)
	if errors.Is(err, ErrNoViewer) { // a repeat, and who claimed it has left since or lost the token
		err = errClaim
	}
	return token, v, err
}

var errClaim = timesheet.Errorf(timesheet.CodeInvalidClaim, "claim", "this invitation was used, has expired or never was")

func claim(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, claimID int64, name *string) (token timesheet.Token, err error) {
	rows, err := tx.Query(ctx, lockClaim, v.Workspace.ID, v.User, claimID)
	if err != nil {
		return token, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Person])
	if err != nil {
		return token, err
	}
	if len(found) == 0 {
		return token, errClaim
	}
	who := found[0]
	if name != nil {
		who.Name = *name
	}
	cleaned, nameKey, err := cleanName("name", who.Name)
	if err != nil {
		return token, err
	}
	account, err := ensureAccount(ctx, tx, who)
	if err != nil {
		return token, err
	}
	if _, err := tx.Exec(ctx, takeClaim, v.Workspace.ID, v.User, account, cleaned, nameKey); err != nil {
		return token, err
	}
	return addToken(ctx, tx, v, NewToken{User: v.User, Name: "invitation", Scope: timesheet.ScopeWrite})
}
