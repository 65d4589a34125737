package store

import (
	"github.com/jackc/pgx/v5/pgtype"

	"headroom/timesheet"
)

// Keys are read as the numbers that they are: pgx reads types of other names by
// reflection, which took a sixth of the time of a list. Where a column may be null,
// optional reads it.
type optionalKey[K ~int64] struct{ key **K }

func optional[K ~int64](key **K) pgtype.Int64Scanner { return optionalKey[K]{key} }

// ScanInt64 implements pgtype.Int64Scanner.
func (o optionalKey[K]) ScanInt64(n pgtype.Int8) error {
	if *o.key = nil; n.Valid {
		*o.key = new(K(n.Int64))
	}
	return nil
}

// dayScanner reads a day that is not null.
type dayScanner struct{ day *timesheet.Date }

// ScanDate implements pgtype.DateScanner.
func (d dayScanner) ScanDate(v pgtype.Date) error {
	*d.day = timesheet.Date(v.Time.Unix() / (24 * 60 * 60))
	return nil
}
