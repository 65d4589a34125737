package store_test

import (
	"strings"
	"testing"

	"headroom/store"
)

// A disk that is full, which a trigger plays, is told with the folder it holds.
func TestFullDiskIsNamed(t *testing.T) {
	s, v, conn := newDatabase(t)
	mustExec(t, conn, `CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$`)
	mustExec(t, conn, `CREATE TRIGGER fill BEFORE INSERT ON time_entry FOR EACH ROW EXECUTE FUNCTION fill()`)
	mustExec(t, conn, `ALTER TABLE time_entry ENABLE ALWAYS TRIGGER fill`)
	want := "the disk that holds " + ask[string](t, conn, "SHOW data_directory") + " is full: free some space"
	for name, run := range map[string]func() error{
		"load": func() error {
			_, _, err := s.CopyCompany(t.Context(), tinyCompany(lateEntry), nil)
			return err
		},
		"import": func() error {
			_, err := s.Import(t.Context(), v, numbered(importRow(nil)), store.ImportOptions{})
			return err
		},
	} {
		if err := run(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want one line with %s", name, err, want)
		}
	}
}
