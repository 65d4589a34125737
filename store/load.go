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
	l := &load{c: c, progress: progress, random: rand.NewChaCha8(freshSeed()), rates: map[duty]hourly{}}
	err := s.transact(ctx, func(tx pgx.Tx) error { return l.write(ctx, tx) })
	if err != nil {
		return timesheet.Viewer{}, nil, fmt.Errorf("load %s: %w", c.Name, s.asFullDisk(ctx, asTakenAccount(err)))
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

	rates map[duty]hourly
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

// Statements of a load take as long as they take. Its commit waits for the
// disk, before which VACUUM marks nothing as visible. What its rows refer to
// is made in the same transaction and looked up by fill, so that a superuser
// need not have the database look every reference up again: that is half of
// its work. Its entries are added to the rollup once, in the end, in the order
// of the rollup's key.
const prepareLoad = `/* prepareLoad */
SELECT set_config('statement_timeout', '0', true),
       set_config('synchronous_commit', 'on', true),
       set_config('headroom.fold', 'off', true),
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
	if err := timesheet.CheckCurrency("currency", l.c.Currency); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, insertWorkspace, name, l.c.TimeZone, l.c.WeekStart, l.c.Currency)
	if err != nil {
		return err
	}
	if l.owner.Workspace, err = pgx.CollectExactlyOneRow(rows, scanWorkspace); err != nil {
		return err
	}
	for _, step := range []func(context.Context, pgx.Tx) error{l.writePeople, l.writeClients, l.writeProjects, l.writeTasks, l.writeTags, l.writeRates, l.writeBudgets, l.writeEntries, l.fold} {
		if err := step(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// The tables that a load fills.
const vacuumLoaded = `VACUUM (ANALYZE) account, workspace, membership, client, project, project_member, task, tag, rate, budget, time_entry, rollup, project_rollup, project_total`

// Vacuum marks what [Store.CopyCompany] has written as visible to all and
// counts its values, which without it autovacuum does a minute later: until
// then reports read whole rows. That it could not is logged and no error.
func (s *Store) Vacuum(ctx context.Context) {
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassBackground})
	if err := s.vacuum(ctx); err != nil {
		s.log.Warn("reports read whole rows until autovacuum has seen what was loaded", "error", err)
	}
}

// vacuum sets for its session what prepareLoad sets for its transaction, since
// VACUUM cannot run in one: the commits of ANALYZE too must be on the disk
// before what was written about the same time is marked as visible.
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
	if _, err = conn.Exec(ctx, `SET statement_timeout = 0; SET synchronous_commit = on`); err == nil {
		_, err = conn.Exec(ctx, vacuumLoaded)
	}
	ctx, cancel := settling(ctx)
	defer cancel()
	if _, undo := conn.Exec(ctx, `RESET statement_timeout; RESET synchronous_commit`); undo != nil {
		err = errors.Join(err, undo, conn.Conn().Close(ctx)) // never to be used without a limit
	}
	return err
}
