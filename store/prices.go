package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// PriceVersion is a published price table.
type PriceVersion struct {
	Version        int
	PublishedAt    time.Time
	Author, Reason string
	Prices         map[string]float64 // all of them, by name
}

// Lesson is what servers have learned of a statement for operations of about one
// price; see limits.Lesson.
type Lesson struct {
	Statement            string
	Octave               int
	Weight, Points, Took float64 // measurements, points, milliseconds
	Base                 float64 // milliseconds when it was first known; 0: not yet
}

const (
	readPrices = `/* readPrices */
SELECT t.version, t.published_at, t.author, t.reason, t.prices
FROM price_table t
ORDER BY t.version DESC
LIMIT 1`

	insertPrices = `/* insertPrices */
INSERT INTO price_table (version, author, reason, prices)
VALUES ($1, $2, $3, $4)
ON CONFLICT ON CONSTRAINT price_table_pk DO NOTHING`

	tellPrices = `/* tellPrices */
SELECT pg_notify('headroom_prices', $1::integer::text)`

	listenPrices = `/* listenPrices */
LISTEN headroom_prices`

	lockLearned = `/* lockLearned */
SELECT pg_advisory_xact_lock($1::bigint)`

	readLearned = `/* readLearned */
SELECT w.statement, w.octave, w.weight, w.points, w.took, w.base
FROM learned_work w
ORDER BY w.statement, w.octave`

	saveLearned = `/* saveLearned */
INSERT INTO learned_work AS w (statement, octave, weight, points, took, base)
SELECT * FROM unnest($1::text[], $2::smallint[], $3::float8[], $4::float8[], $5::float8[], $6::float8[])
ON CONFLICT (statement, octave)
DO UPDATE SET weight = excluded.weight, points = excluded.points, took = excluded.took, base = excluded.base, updated_at = now()`

	clearLearned = `/* clearLearned */
DELETE FROM learned_work`
)

// workLock is the lock under which what was learned is read, merged and saved.
const workLock = 0x48525750

// pricesChannel is where a new price table is told.
const pricesChannel = "headroom_prices"

// ErrPricesMoved is returned where somebody else has published the same version
// meanwhile.
var ErrPricesMoved = errors.New("another price table has been published meanwhile: look at it and publish again")

// HearPrices has f called when a price table has been published, by this process
// or another one.
func (s *Store) HearPrices(f func()) { s.published.Store(&f) }

// Prices is the last published price table; ok is false where none was.
func (s *Store) Prices(ctx context.Context) (v PriceVersion, ok bool, err error) {
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassBackground})
	v, ok, err = one(ctx, s, func(row pgx.CollectableRow) (v PriceVersion, err error) {
		var prices []byte
		if err := row.Scan(&v.Version, &v.PublishedAt, &v.Author, &v.Reason, &prices); err != nil {
			return v, err
		}
		return v, json.Unmarshal(prices, &v.Prices)
	}, readPrices)
	if err != nil {
		return v, false, fmt.Errorf("read the price table: %w", err)
	}
	return v, ok, nil
}

// PublishPrices makes a price table the one of all servers, and tells them. What
// was learned is handed to reprice and replaced by what that returns. If the
// version is taken, nothing is changed and the error is ErrPricesMoved.
func (s *Store) PublishPrices(ctx context.Context, v PriceVersion, reprice func([]Lesson) []Lesson) error {
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassBackground})
	prices, err := json.Marshal(v.Prices)
	if err != nil {
		return fmt.Errorf("publish prices: %w", err)
	}
	err = s.insist(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, insertPrices, v.Version, v.Author, v.Reason, prices)
		if err == nil && tag.RowsAffected() == 0 {
			err = ErrPricesMoved
		}
		if err == nil {
			err = shareWork(ctx, tx, reprice, true)
		}
		if err == nil {
			_, err = tx.Exec(ctx, tellPrices, v.Version)
		}
		return err
	})
	if err != nil && !errors.Is(err, ErrPricesMoved) {
		return fmt.Errorf("publish prices: %w", err)
	}
	return err
}

// ShareWork hands what all servers have learned to merge, and saves what that
// returns, in one transaction and one server at a time.
func (s *Store) ShareWork(ctx context.Context, merge func([]Lesson) []Lesson) error {
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassBackground})
	if err := s.insist(ctx, func(tx pgx.Tx) error { return shareWork(ctx, tx, merge, false) }); err != nil {
		return fmt.Errorf("share learned work: %w", err)
	}
	return nil
}

func shareWork(ctx context.Context, tx pgx.Tx, merge func([]Lesson) []Lesson, anew bool) error {
	if _, err := tx.Exec(ctx, lockLearned, workLock); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, readLearned)
	if err != nil {
		return err
	}
	saved, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Lesson])
	if err != nil {
		return err
	}
	if anew {
		if _, err := tx.Exec(ctx, clearLearned); err != nil {
			return err
		}
	}
	var statements []string
	var octaves []int16
	var weights, points, took, bases []float64
	for _, l := range merge(saved) {
		statements, octaves = append(statements, l.Statement), append(octaves, int16(l.Octave))
		weights, points, took, bases = append(weights, l.Weight), append(points, l.Points), append(took, l.Took), append(bases, l.Base)
	}
	_, err = tx.Exec(ctx, saveLearned, statements, octaves, weights, points, took, bases)
	return err
}
