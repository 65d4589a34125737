package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

const takeIDs = `/* takeIDs */
SELECT nextval('object_id')
FROM generate_series(1, $1)`

func (l *load) takeIDs(ctx context.Context, tx pgx.Tx, n int) ([]int64, error) {
	rows, err := tx.Query(ctx, takeIDs, n)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

// copyRows writes n rows to a table, each with its key and with its workspace
// in the first column, and returns the keys.
func (l *load) copyRows(ctx context.Context, tx pgx.Tx, table string, columns []string, n int, row func(i int, id int64) ([]any, error)) ([]int64, error) {
	ids, err := l.takeIDs(ctx, tx, n)
	if err != nil {
		return nil, err
	}
	err = copyTo(ctx, tx, table, columns, n, func(i int) ([]any, error) { return row(i, ids[i]) })
	return ids, err
}

func copyTo(ctx context.Context, tx pgx.Tx, table string, columns []string, n int, row func(i int) ([]any, error)) error {
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromSlice(n, row)); err != nil {
		return fmt.Errorf("write to %s: %w", table, err)
	}
	return nil
}

// writePeople makes members, and accounts for all but placeholders.
func (l *load) writePeople(ctx context.Context, tx pgx.Tx) error {
	accounts, err := l.writeAccounts(ctx, tx)
	if err != nil {
		return err
	}
	columns := []string{"workspace_id", "user_id", "account_id", "role", "name", "name_key", "email", "email_key"}
	_, err = l.copyRows(ctx, tx, "membership", columns, len(l.c.Users), func(i int, id int64) ([]any, error) {
		u := l.c.Users[i]
		name, nameKey, err := cleanName("name", u.Name)
		if err != nil {
			return nil, err
		}
		user := timesheet.User{ID: timesheet.UserID(id), Name: name, Role: u.Role, Version: 1}
		var emailKey *string
		if u.Email != "" {
			email, key, err := cleanEmail("email", u.Email)
			if err != nil {
				return nil, err
			}
			user.Email, emailKey = &email, &key
		}
		l.users = append(l.users, user)
		return []any{l.owner.Workspace.ID, id, accounts[i], u.Role, name, nameKey, user.Email, emailKey}, nil
	})
	if err == nil {
		l.owner.User, l.owner.Role, l.owner.Scope = l.users[0].ID, timesheet.RoleOwner, timesheet.ScopeWrite
	}
	return err
}

// writeAccounts returns the key of each person's account, nil for none.
func (l *load) writeAccounts(ctx context.Context, tx pgx.Tx) ([]*int64, error) {
	accounts := make([]*int64, len(l.c.Users))
	var with []int
	for i, u := range l.c.Users {
		if u.Role != timesheet.RolePlaceholder {
			with = append(with, i)
		}
	}
	columns := []string{"id", "email", "email_key", "name"}
	_, err := l.copyRows(ctx, tx, "account", columns, len(with), func(i int, id int64) ([]any, error) {
		u := l.c.Users[with[i]]
		email, key, err := cleanEmail("email", u.Email)
		if err != nil {
			return nil, err
		}
		name, _, err := cleanName("name", u.Name)
		accounts[with[i]] = &id
		return []any{id, email, key, name}, err
	})
	return accounts, err
}

func (l *load) writeClients(ctx context.Context, tx pgx.Tx) (err error) {
	l.clients, err = l.writeNames(ctx, tx, "client", l.c.Clients)
	return err
}

func (l *load) writeTags(ctx context.Context, tx pgx.Tx) (err error) {
	l.tags, err = l.writeNames(ctx, tx, "tag", l.c.Tags)
	return err
}

// writeNames fills a table of things that are no more than a name.
func (l *load) writeNames(ctx context.Context, tx pgx.Tx, table string, names []string) ([]int64, error) {
	columns := []string{"workspace_id", "id", "name", "name_key"}
	return l.copyRows(ctx, tx, table, columns, len(names), func(i int, id int64) ([]any, error) {
		name, key, err := cleanName("name", names[i])
		return []any{l.owner.Workspace.ID, id, name, key}, err
	})
}

func (l *load) writeProjects(ctx context.Context, tx pgx.Tx) (err error) {
	columns := []string{"workspace_id", "id", "client_id", "name", "name_key", "billable"}
	l.projects, err = l.copyRows(ctx, tx, "project", columns, len(l.c.Projects), func(i int, id int64) ([]any, error) {
		p := l.c.Projects[i]
		client, err := keyAt(l.clients, p.Client)
		if err != nil {
			return nil, err
		}
		name, key, err := cleanName("name", p.Name)
		return []any{l.owner.Workspace.ID, id, client, name, key, p.Billable}, err
	})
	if err != nil {
		return err
	}
	return l.writeProjectMembers(ctx, tx)
}

// writeProjectMembers has a lead belong to the project, named a member or not.
func (l *load) writeProjectMembers(ctx context.Context, tx pgx.Tx) error {
	var rows [][]any
	for i, p := range l.c.Projects {
		members := map[int]bool{}
		for _, m := range append([]int{p.Lead}, p.Members...) {
			if m == -1 || members[m] {
				continue
			}
			if m < 0 || m >= len(l.users) {
				return outOfCompany(m, len(l.users))
			}
			members[m] = true
			rows = append(rows, []any{l.owner.Workspace.ID, l.projects[i], l.users[m].ID, m == p.Lead})
		}
	}
	columns := []string{"workspace_id", "project_id", "user_id", "lead"}
	return copyTo(ctx, tx, "project_member", columns, len(rows), func(i int) ([]any, error) { return rows[i], nil })
}

func (l *load) writeTasks(ctx context.Context, tx pgx.Tx) (err error) {
	columns := []string{"workspace_id", "id", "project_id", "name", "name_key"}
	l.tasks, err = l.copyRows(ctx, tx, "task", columns, len(l.c.Tasks), func(i int, id int64) ([]any, error) {
		project, err := keyAt(l.projects, l.c.Tasks[i].Project)
		if err != nil {
			return nil, err
		}
		name, key, err := cleanName("name", l.c.Tasks[i].Name)
		return []any{l.owner.Workspace.ID, id, project, name, key}, err
	})
	return err
}

// keyAt is the key of a company's thing, nil for none.
func keyAt(ids []int64, i int) (any, error) {
	switch {
	case i == -1:
		return nil, nil
	case i < 0 || i >= len(ids):
		return nil, outOfCompany(i, len(ids))
	}
	return ids[i], nil
}

func outOfCompany(i, n int) error {
	return fmt.Errorf("the company refers to number %d of %d things", i, n)
}
