package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"headroom/timesheet"
)

// LoadCompany is [Store.CopyCompany], after which the tables are vacuumed and
// analyzed, so that reports read their index alone from the start.
func (s *Store) LoadCompany(ctx context.Context, c timesheet.Company, progress func(entries int)) (timesheet.Viewer, []timesheet.User, error) {
	owner, users, err := s.CopyCompany(ctx, c, progress)
	if err == nil {
		s.Vacuum(ctx)
	}
	return owner, users, err
}

// CopyCompany fills a new workspace with a company and returns its owner as a
// viewer and its people in the company's order. It is for operators: nobody's
// rights are asked.
//
// It is one transaction, whose rows travel by COPY, however large: a load that
// fails or is killed leaves nothing behind. An address that is somebody's
// account already is NAME_TAKEN, and so is a second load of the same company.
//
// Entries are read once, a chunk at a time. They get ids of version 7 with the
// time of their start, which are in order where the entries are. progress, if
// it is not nil, is told after every chunk how many have been written.
func (s *Store) CopyCompany(ctx context.Context, c timesheet.Company, progress func(entries int)) (timesheet.Viewer, []timesheet.User, error) {
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassBackground})
	l := &load{c: c, progress: progress, random: rand.NewChaCha8(freshSeed())}
	err := s.transact(ctx, func(tx pgx.Tx) error { return l.write(ctx, tx) })
	if err != nil {
		return timesheet.Viewer{}, nil, fmt.Errorf("load %s: %w", c.Name, asTakenAccount(err))
	}
	return l.owner, l.users, nil
}

// load is one company on its way into the database.
type load struct {
	c        timesheet.Company
	progress func(int)
	random   *rand.ChaCha8
	zone     *time.Location

	owner timesheet.Viewer
	users []timesheet.User

	// The keys of the company's things, in its order.
	clients, projects, tasks, tags []int64
}

func freshSeed() (seed [32]byte) {
	for i := range 4 {
		binary.LittleEndian.PutUint64(seed[8*i:], rand.Uint64())
	}
	return seed
}

// asTakenAccount tells of an address that cannot be used twice.
func asTakenAccount(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.ConstraintName == "account_email" {
		return timesheet.Errorf(timesheet.CodeNameTaken, "email", "one of the company's addresses is somebody's account already")
	}
	return err
}

// Statements of a load take as long as they take. What they refer to is made
// in the same transaction, by keys that fill has looked up, so that a superuser
// need not have the database look up every reference again: that is half of
// its work.
const prepareLoad = `/* prepareLoad */
SELECT set_config('statement_timeout', '0', true),
       CASE WHEN current_setting('is_superuser')::bool THEN set_config('session_replication_role', 'replica', true) END`

func (l *load) write(ctx context.Context, tx pgx.Tx) (err error) {
	if len(l.c.Users) == 0 {
		return timesheet.Errorf(timesheet.CodeInvalid, "users", "a company needs an owner")
	}
	name, _, err := cleanName("name", l.c.Name)
	if err != nil {
		return err
	}
	if l.zone, err = timesheet.LoadZone(l.c.TimeZone); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, prepareLoad); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, insertWorkspace, name, l.c.TimeZone, l.c.WeekStart, l.c.Currency)
	if err != nil {
		return err
	}
	if l.owner.Workspace, err = pgx.CollectExactlyOneRow(rows, scanWorkspace); err != nil {
		return err
	}
	for _, step := range []func(context.Context, pgx.Tx) error{l.writePeople, l.writeClients, l.writeProjects, l.writeTasks, l.writeTags, l.writeEntries} {
		if err := step(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

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

// loadChunk is how many entries one COPY carries. It bounds what a chunk
// holds in memory here, and there what waits for the checks of its references.
const loadChunk = 10_000

func (l *load) writeEntries(ctx context.Context, tx pgx.Tx) error {
	if l.c.Entries == nil {
		return nil
	}
	written := 0
	chunk := make([]timesheet.CompanyEntry, 0, loadChunk)
	flush := func() error {
		row := make([]any, len(loadColumns))
		err := copyTo(ctx, tx, "time_entry", loadColumns, len(chunk), func(i int) ([]any, error) { return row, l.fill(row, chunk[i]) })
		written += len(chunk)
		chunk = chunk[:0]
		if err == nil && l.progress != nil {
			l.progress(written)
		}
		return err
	}
	for e := range l.c.Entries {
		chunk = append(chunk, e)
		if len(chunk) == loadChunk {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

var loadColumns = []string{
	"workspace_id", "id", "user_id", "project_id", "task_id", "started_at", "ended_at", "day",
	"billable", "rate_minor", "currency", "tag_ids", "description",
}

// fill makes an entry a row of loadColumns.
func (l *load) fill(row []any, e timesheet.CompanyEntry) error {
	if e.User < 0 || e.User >= len(l.users) {
		return outOfCompany(e.User, len(l.users))
	}
	project, err := keyAt(l.projects, e.Project)
	if err != nil {
		return err
	}
	task, err := keyAt(l.tasks, e.Task)
	if err != nil {
		return err
	}
	tags := make([]int64, len(e.Tags))
	for i, tag := range e.Tags {
		if tag < 0 || tag >= len(l.tags) {
			return outOfCompany(tag, len(l.tags))
		}
		tags[i] = l.tags[tag]
	}
	start := wholeSecond(e.Start)
	row[0], row[1], row[2] = l.owner.Workspace.ID, l.entryID(start), l.users[e.User].ID
	row[3], row[4], row[5], row[6] = project, task, start, start.Add(time.Duration(e.Seconds)*time.Second)
	row[7] = time.Unix(int64(timesheet.DayOf(start, l.zone))*86400, 0).UTC()
	row[8], row[9], row[10], row[11], row[12] = e.Billable, e.RateMinor, l.c.Currency, tags, e.Description
	return nil
}

// entryID is an id of version 7 as a client would have minted it at the start.
func (l *load) entryID(start time.Time) (id [16]byte) {
	binary.BigEndian.PutUint64(id[:8], uint64(start.UnixMilli())<<16|l.random.Uint64()&0x0fff|0x7000)
	binary.BigEndian.PutUint64(id[8:], l.random.Uint64()>>2|1<<63)
	return id
}

// The tables that a load fills.
const vacuumLoaded = `VACUUM (ANALYZE) account, workspace, membership, client, project, project_member, task, tag, time_entry`

// Vacuum marks what [Store.CopyCompany] has written as visible to all and
// counts its values, which without it autovacuum does a minute later: until
// then reports read whole rows. That it could not is logged and no error.
func (s *Store) Vacuum(ctx context.Context) {
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassBackground})
	if err := s.vacuum(ctx); err != nil {
		s.log.Warn("reports read whole rows until autovacuum has seen what was loaded", "error", err)
	}
}

// vacuum lifts the time limit of its session: there is no transaction, in
// which VACUUM cannot run, to lift it for.
func (s *Store) vacuum(ctx context.Context) error {
	release, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer release()
	conn, err := s.pool(ctx).Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if _, err = conn.Exec(ctx, `SET statement_timeout = 0`); err == nil {
		_, err = conn.Exec(ctx, vacuumLoaded)
	}
	ctx, cancel := settling(ctx)
	defer cancel()
	if _, undo := conn.Exec(ctx, `RESET statement_timeout`); undo != nil {
		err = errors.Join(err, undo, conn.Conn().Close(ctx)) // never to be used without a limit
	}
	return err
}
