package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// ImportOptions say how rows are imported. The zero value imports them and
// creates what they name.
type ImportOptions struct {
	Source    string                          // where the rows come from, for audit
	KnownOnly bool                            // rows that name what does not exist are bad
	Preview   bool                            // count as an import would, and write nothing
	Bad       func(*timesheet.RowError) error // told of every bad row, in order; an error ends the import
	Progress  func(timesheet.ImportCounts)    // told after every batch
}

// importBatch is how many rows share a transaction.
const importBatch = 10_000

// Import brings rows of finished work into the viewer's workspace, as an owner
// or admin. It may be ended at any moment and run again: each batch is a
// transaction of its own, and a row is known by a key made of its person,
// start and end in UTC, project, task, description, tags, external id and its
// number among equal rows, so that a row that is there already is left alone,
// even one that was changed or deleted since.
//
// Who and what the rows name is found by name, or people by their address, and
// else created: people as placeholders, who cannot sign in. A project without
// a client means the one project of that name, whoever its client is. History
// may lie in archived projects and may overlap. A row that cannot be imported
// is reported and counted and stops no other. What was imported is in the sums of
// projects when it ends.
//
// Memory grows by some 30 bytes a row, for the numbers among equal rows.
func (s *Store) Import(ctx context.Context, v timesheet.Viewer, rows iter.Seq2[timesheet.ImportRow, *timesheet.RowError], o ImportOptions) (timesheet.ImportCounts, error) {
	if !v.Admin() {
		return timesheet.ImportCounts{}, timesheet.Errorf(timesheet.CodeForbidden, "", "only owners and admins import")
	}
	zone, err := zoneOf(v.Workspace)
	if err != nil {
		return timesheet.ImportCounts{}, err
	}
	im := &importer{s: s, v: v, o: o, zone: zone, books: v.Workspace, now: time.Now(), seen: map[uint64]uint32{}, people: map[person]bool{}, projects: map[projectName]bool{}}
	im.known.reset()
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassBackground})
	batch := make([]*importItem, 0, importBatch)
	for row, bad := range rows {
		batch = append(batch, im.prepare(row, bad))
		if len(batch) == importBatch {
			if err := im.flush(ctx, batch); err != nil {
				return im.counts, fmt.Errorf("import: %w", s.asFullDisk(ctx, err))
			}
			batch = batch[:0]
		}
	}
	if err := im.flush(ctx, batch); err != nil {
		return im.counts, fmt.Errorf("import: %w", s.asFullDisk(ctx, err))
	}
	if im.counts.Created > 0 && !o.Preview {
		if _, err := s.foldBefore(ctx, v.Workspace.ID, hardlyChanging(im.now)); err != nil {
			return im.counts, fmt.Errorf("fold what was imported: %w", err)
		}
	}
	s.tellImport(ctx, v.Workspace.ID)
	return im.counts, nil
}

// importer is one import.
type importer struct {
	s      *Store
	v      timesheet.Viewer
	o      ImportOptions
	books  timesheet.Workspace // as the batch found them
	zone   *time.Location      // theirs
	now    time.Time
	known  importNames
	counts timesheet.ImportCounts

	// seen numbers equal rows by a part of their hash. Rows that share it
	// without being equal are numbered together, which is harmless: the same
	// file numbers them alike again.
	seen     map[uint64]uint32
	people   map[person]bool      // that were counted
	projects map[projectName]bool // that were counted
}

// importItem is a row on its way: bad, or with the keys of its names.
type importItem struct {
	row     timesheet.ImportRow
	bad     *timesheet.RowError
	key     [16]byte
	who     person
	project projectName
	task    string   // its key
	tags    []folded // sorted, each once
	created bool

	entry timesheet.TimeEntry // once its names are found
}

func (it *importItem) refuse(field timesheet.ImportField, code timesheet.RowCode, message string) {
	it.bad = &timesheet.RowError{Line: it.row.Line, Field: field, Code: code, Message: message, Cells: it.row.Cells}
}

// prepare checks a row by itself and gives it its key.
func (im *importer) prepare(row timesheet.ImportRow, bad *timesheet.RowError) *importItem {
	row.Start, row.End = wholeSecond(row.Start), wholeSecond(row.End)
	it := &importItem{row: row, bad: bad}
	if bad == nil {
		it.bad = row.Check(im.now)
	}
	if it.bad == nil {
		im.known.clean(it)
	}
	if it.bad == nil {
		it.key = im.number(it)
	}
	return it
}

// number is the row's key: a hash of what it says, and of how many rows before
// it say the same.
func (im *importer) number(it *importItem) (key [16]byte) {
	parts := []string{
		it.who.email, it.who.name, it.row.Start.Format(time.RFC3339), it.row.End.Format(time.RFC3339),
		it.project.client, it.project.name, it.task, it.row.Description, it.row.ExternalID,
	}
	for _, tag := range it.tags {
		parts = append(parts, tag.key)
	}
	var text []byte
	for _, part := range parts {
		text = binary.AppendUvarint(text, uint64(len(part)))
		text = append(text, part...)
	}
	hash := sha256.Sum256(text)
	group := binary.BigEndian.Uint64(hash[:])
	im.seen[group]++
	hash = sha256.Sum256(binary.BigEndian.AppendUint32(hash[:], im.seen[group]))
	copy(key[:], hash[:])
	return key
}

// flush imports a batch, then tells of its bad rows in the order of the file.
func (im *importer) flush(ctx context.Context, batch []*importItem) error {
	good := slices.DeleteFunc(slices.Clone(batch), func(it *importItem) bool { return it.bad != nil })
	if err := im.apply(ctx, good); err != nil {
		return err
	}
	for _, it := range batch {
		if it.bad == nil {
			im.count(it)
			continue
		}
		im.counts.Bad++
		if im.o.Bad != nil {
			if err := im.o.Bad(it.bad); err != nil {
				return err
			}
		}
	}
	if im.o.Progress != nil {
		im.o.Progress(im.counts)
	}
	return nil
}

func (im *importer) count(it *importItem) {
	if it.created {
		im.counts.Created++
	} else {
		im.counts.Unchanged++
	}
	im.counts.Seconds += int64(it.row.End.Sub(it.row.Start) / time.Second)
	im.people[it.who] = true
	im.counts.Users = len(im.people)
	if it.project.name != "" {
		im.projects[it.project] = true
		im.counts.Projects = len(im.projects)
	}
}

// apply imports good rows in one transaction. Where the database refuses
// something that Check lets pass, it halves them until the row is found.
func (im *importer) apply(ctx context.Context, items []*importItem) error {
	if len(items) == 0 {
		return nil
	}
	again := false
	err := im.s.insist(ctx, func(tx pgx.Tx) error {
		if again {
			im.undo(items)
		}
		again = true
		return im.write(ctx, tx, items)
	})
	if err == nil {
		return nil
	}
	im.undo(items)
	reason, refused := refusal(err)
	switch {
	case !refused:
		return err
	case len(items) == 1:
		items[0].refuse("", timesheet.RowRefused, reason)
		return nil
	}
	half := len(items) / 2
	if err := im.apply(ctx, items[:half]); err != nil {
		return err
	}
	return im.apply(ctx, items[half:])
}

// undo forgets what a transaction that was rolled back has done with rows that
// were good before it, and the names that it created.
func (im *importer) undo(items []*importItem) {
	im.known.reset()
	for _, it := range items {
		it.bad, it.created = nil, false
	}
}

// refusal tells an error about the data, which the same rows meet again, from
// one about the database.
func refusal(err error) (reason string, refused bool) {
	if broken, ok := timesheet.AsError(err); ok {
		return broken.Message, true
	}
	state := sqlState(err) // 22: data exception, 23: integrity constraint
	return "the database refuses this row", strings.HasPrefix(state, "22") || strings.HasPrefix(state, "23")
}
