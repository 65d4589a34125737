package store

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

const memberColumns = `m.user_id, m.name, m.email, m.role, m.version, m.deleted_at IS NOT NULL`

// memberFields are where memberColumns are scanned into.
func memberFields(u *timesheet.User) []any {
	return []any{(*int64)(&u.ID), &u.Name, &u.Email, (*string)(&u.Role), &u.Version, &u.Deleted}
}

// memberRow scans memberColumns as far as the viewer may see them: everybody's
// name, but other people's addresses only by role.
func memberRow(v timesheet.Viewer) pgx.RowToFunc[timesheet.User] {
	return func(row pgx.CollectableRow) (u timesheet.User, err error) {
		err = row.Scan(memberFields(&u)...)
		return asSeen(v, u), err
	}
}

// asSeen is a person as far as the viewer may see them.
func asSeen(v timesheet.Viewer, u timesheet.User) timesheet.User {
	if !v.SeesEmails() && u.ID != v.User {
		u.Email = nil
	}
	return u
}

const usersByID = `/* usersByID */
SELECT ` + memberColumns + `
FROM membership m
WHERE m.workspace_id = $1
  AND m.user_id = ANY ($2)`

// UsersByID returns the people of the viewer's workspace among ids, those who
// were removed too.
func (s *Store) UsersByID(ctx context.Context, v timesheet.Viewer, ids []timesheet.UserID) (map[timesheet.UserID]timesheet.User, error) {
	found, err := list(ctx, s, memberRow(v), usersByID, v.Workspace.ID, ids)
	if err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	users := make(map[timesheet.UserID]timesheet.User, len(found))
	for _, u := range found {
		users[u.ID] = u
	}
	return users, nil
}

func (s *Store) readUser(ctx context.Context, v timesheet.Viewer, id timesheet.UserID) (timesheet.User, error) {
	users, err := s.UsersByID(ctx, v, []timesheet.UserID{id})
	if err != nil {
		return timesheet.User{}, err
	}
	user, ok := users[id]
	if !ok {
		return user, timesheet.NotFound("userId", "user")
	}
	return user, nil
}

const memberByEmail = `/* memberByEmail */
SELECT ` + memberColumns + `
FROM membership m
WHERE m.workspace_id = $1
  AND m.email_key = $2
  AND m.deleted_at IS NULL`

// MemberByEmail is the person with an address.
func (s *Store) MemberByEmail(ctx context.Context, v timesheet.Viewer, email string) (timesheet.User, error) {
	_, key, err := cleanEmail("email", email)
	if err != nil {
		return timesheet.User{}, err
	}
	user, ok, err := one(ctx, s, memberRow(v), memberByEmail, v.Workspace.ID, key)
	if err != nil {
		return user, fmt.Errorf("find a user: %w", err)
	}
	if !ok || user.Email == nil {
		return timesheet.User{}, timesheet.NotFound("email", "user")
	}
	return user, nil
}

const promotePlaceholder = `/* promotePlaceholder */
UPDATE membership AS m
SET role = $4, account_id = $3, version = version + 1
WHERE m.workspace_id = $1
  AND m.user_id = $2
RETURNING ` + memberColumns

// EnsureMember makes sure that somebody with an address belongs to the
// workspace: a new person gets the role, and so does a placeholder; who is a
// member already keeps their own. It is for operators, who act as an owner.
func (s *Store) EnsureMember(ctx context.Context, v timesheet.Viewer, name, email string, role timesheet.Role) (timesheet.User, error) {
	before, err := s.MemberByEmail(ctx, v, email)
	if broken, ok := timesheet.AsError(err); err != nil && (!ok || broken.Code != timesheet.CodeNotFound) {
		return before, err
	}
	if err == nil && before.Role != timesheet.RolePlaceholder {
		return before, nil
	}
	who := Person{Name: name, Email: email}
	user, _, err := write(ctx, s, v, Change{Action: "ensureMember", Input: map[string]any{"name": name, "email": email, "role": role}},
		func(tx pgx.Tx) (user timesheet.User, ref Ref, err error) {
			if before.ID == 0 {
				user, err = addMember(ctx, tx, v, who, role)
			} else {
				user, err = promote(ctx, tx, v, before, email, role)
			}
			return user, userRef(user), err
		}, nil)
	if err != nil {
		return user, fmt.Errorf("ensure a member: %w", err)
	}
	s.views.forget(v.Workspace.ID)
	return user, nil
}

func userRef(u timesheet.User) Ref {
	return Ref{Entity: "User", ID: key(u.ID), Version: u.Version}
}

// promote gives a placeholder an account and a role.
func promote(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, u timesheet.User, email string, role timesheet.Role) (timesheet.User, error) {
	account, err := ensureAccount(ctx, tx, Person{Name: u.Name, Email: email})
	if err != nil {
		return u, err
	}
	rows, err := tx.Query(ctx, promotePlaceholder, v.Workspace.ID, u.ID, account, role)
	if err != nil {
		return u, err
	}
	return pgx.CollectExactlyOneRow(rows, memberRow(v))
}

const insertMember = `/* insertMember */
INSERT INTO membership AS m (workspace_id, account_id, role, name, name_key, email, email_key)
VALUES ($1, $2, $3, $4, $5, $6, $7)
RETURNING ` + memberColumns

// addMember makes a member with an account, which placeholders have not.
func addMember(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, who Person, role timesheet.Role) (timesheet.User, error) {
	name, nameKey, err := cleanName("name", who.Name)
	if err != nil {
		return timesheet.User{}, err
	}
	email, emailKey, err := cleanEmail("email", who.Email)
	if err != nil {
		return timesheet.User{}, err
	}
	var account *int64
	if role != timesheet.RolePlaceholder {
		id, err := ensureAccount(ctx, tx, who)
		if err != nil {
			return timesheet.User{}, err
		}
		account = &id
	}
	rows, err := tx.Query(ctx, insertMember, v.Workspace.ID, account, role, name, nameKey, email, emailKey)
	if err != nil {
		return timesheet.User{}, err
	}
	return pgx.CollectExactlyOneRow(rows, memberRow(v))
}

const insertAccount = `/* insertAccount */
INSERT INTO account AS a (email, email_key, name)
VALUES ($1, $2, $3)
ON CONFLICT ON CONSTRAINT account_email
DO UPDATE SET email = a.email
RETURNING id`

// ensureAccount finds or makes the account of an address.
func ensureAccount(ctx context.Context, tx pgx.Tx, who Person) (id int64, err error) {
	email, key, err := cleanEmail("email", who.Email)
	if err != nil {
		return 0, err
	}
	name, _, err := cleanName("name", who.Name)
	if err != nil {
		return 0, err
	}
	return id, tx.QueryRow(ctx, insertAccount, email, key, name).Scan(&id)
}

// maxEmail is the longest address that mail servers take, in bytes.
const maxEmail = 254

// cleanEmail checks that a text has the form of an address and makes the key
// by which addresses are compared. Whether mail arrives there is not asked.
func cleanEmail(field, typed string) (email, key string, err error) {
	email = strings.TrimSpace(typed)
	user, host, ok := strings.Cut(email, "@")
	odd := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
	if !ok || user == "" || host == "" || strings.Contains(host, "@") || len(email) > maxEmail ||
		!utf8.ValidString(email) || strings.ContainsFunc(email, odd) {
		return "", "", timesheet.Errorf(timesheet.CodeInvalid, field, "an address has the form name@example.com and at most %d bytes", maxEmail)
	}
	return email, nameKey(email), nil
}
