package store

import (
	"context"
	"fmt"

	"headroom/timesheet"
)

var (
	usersByName = keyset[timesheet.User]{
		name: "users by name", columns: []string{"m.name_key", "m.user_id"}, types: []string{"text", "bigint"},
		values: func(u timesheet.User) []string { return []string{nameKey(u.Name), key(u.ID)} },
	}
	newestUsers = keyset[timesheet.User]{
		name: "newest users", columns: []string{"m.user_id"}, types: []string{"bigint"}, desc: true,
		values: func(u timesheet.User) []string { return []string{key(u.ID)} },
	}
)

func userOrder(o timesheet.ListOrder) keyset[timesheet.User] {
	if o == timesheet.OrderNewest {
		return newestUsers
	}
	return usersByName
}

// userConditions are those of a list of the workspace's people.
func userConditions(v timesheet.Viewer, f timesheet.ListFilter, args *arguments) (where string, err error) {
	where = `
FROM membership m
WHERE m.workspace_id = ` + args.add(v.Workspace.ID) + `
  AND m.deleted_at IS NULL`
	if len(f.Roles) > 0 {
		where += "\n  AND m.role = ANY (" + args.add(f.Roles) + ")"
	}
	if f.Text != "" {
		part, err := searchKey("filter.text", f.Text)
		if err != nil {
			return "", err
		}
		where += "\n  AND strpos(m.name_key, " + args.add(part) + ") > 0"
	}
	return where, nil
}

// usersPage is the statement of one page of people.
func usersPage(v timesheet.Viewer, f timesheet.ListFilter, o timesheet.ListOrder, p timesheet.Page) (sql string, args arguments, err error) {
	where, err := userConditions(v, f, &args)
	if err != nil {
		return "", nil, err
	}
	after, tail, err := userOrder(o).window(p, &args)
	return "/* usersPage */\nSELECT " + memberColumns + where + after + tail, args, err
}

// usersCount is the statement that counts a list of people.
func usersCount(v timesheet.Viewer, f timesheet.ListFilter) (sql string, args arguments, err error) {
	where, err := userConditions(v, f, &args)
	return "/* usersCount */\nSELECT count(*)" + where, args, err
}

// Users lists the people of the workspace, imported and invited ones too, but
// not those who were removed.
func (s *Store) Users(ctx context.Context, v timesheet.Viewer, f timesheet.ListFilter, o timesheet.ListOrder, p timesheet.Page) (timesheet.Connection[timesheet.User], error) {
	var none timesheet.Connection[timesheet.User]
	sql, args, err := usersPage(v, f, o, p)
	if err != nil {
		return none, err
	}
	rows, err := list(ctx, s, memberRow(v), sql, args...)
	if err != nil {
		return none, fmt.Errorf("list users: %w", err)
	}
	users := userOrder(o).page(p, rows)
	users.Total = func(ctx context.Context) (int, error) {
		sql, args, err := usersCount(v, f)
		if err != nil {
			return 0, err
		}
		return s.count(ctx, sql, args...)
	}
	return users, nil
}
