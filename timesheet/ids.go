package timesheet

import (
	"database/sql/driver"
	"encoding/hex"
	"fmt"
)

// Keys of the things a workspace holds. They are unique in the whole database,
// yet every statement names its workspace beside them.
type (
	WorkspaceID int64
	UserID      int64 // a person's membership in one workspace
	ClientID    int64
	ProjectID   int64
	TaskID      int64
	TagID       int64
	TokenID     int64
)

// EntryID is the UUID of a time entry. Clients may mint it (version 7), so
// that creating the same entry twice is harmless.
type EntryID [16]byte

// ParseEntryID reads the canonical text form, 8-4-4-4-12 hexadecimal digits.
func ParseEntryID(s string) (EntryID, error) {
	var id EntryID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, fmt.Errorf("%q is no UUID", s)
	}
	digits := s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	if _, err := hex.Decode(id[:], []byte(digits)); err != nil {
		return EntryID{}, fmt.Errorf("%q is no UUID", s)
	}
	return id, nil
}

// String returns the canonical text form.
func (id EntryID) String() string {
	var b [36]byte
	hex.Encode(b[:], id[:4])
	hex.Encode(b[9:], id[4:6])
	hex.Encode(b[14:], id[6:8])
	hex.Encode(b[19:], id[8:10])
	hex.Encode(b[24:], id[10:])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// Version is the UUID's version digit, 7 for ids minted in order of time.
func (id EntryID) Version() int { return int(id[6] >> 4) }

// Value stores the id as a uuid.
func (id EntryID) Value() (driver.Value, error) { return id.String(), nil }

// Scan reads a uuid in text or binary form.
func (id *EntryID) Scan(src any) (err error) {
	switch v := src.(type) {
	case string:
		*id, err = ParseEntryID(v)
		return err
	case []byte:
		if len(v) == len(id) {
			copy(id[:], v)
			return nil
		}
		*id, err = ParseEntryID(string(v))
		return err
	case [16]byte:
		*id = v
		return nil
	}
	return fmt.Errorf("cannot read an entry id from %T", src)
}
