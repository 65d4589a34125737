package csvfile

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"
	"unicode/utf8"

	"headroom/timesheet"
)

// Options say how a file is read.
type Options struct {
	Zone      *time.Location // of times that carry no offset; required
	Mapping   Mapping        // nil: the columns have the fields' names
	DateOrder Order          // OrderUnknown: decided over the whole file
}

// Reader yields the rows of a CSV file.
type Reader struct {
	source Source
	zone   *time.Location
	survey survey
	err    error
}

// New reads the whole file once to find out how it is to be read. Its errors
// are about the file and tell a person what to do; they do not name the file.
func New(ctx context.Context, source Source, o Options) (*Reader, error) {
	file, err := open(ctx, source)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	r := &Reader{source: source, zone: o.Zone}
	if err := r.survey.take(file, o); err != nil {
		return nil, err
	}
	return r, nil
}

// Len is the number of rows, bad ones included.
func (r *Reader) Len() int { return r.survey.rows }

// Summary says in one line how the file is read.
func (r *Reader) Summary() string {
	var fields []string
	for _, f := range timesheet.ImportFields {
		if i, ok := r.survey.columns[f]; ok {
			fields = append(fields, fmt.Sprintf("%s from %s", f, show(r.survey.header[i])))
		}
	}
	text := fmt.Sprintf("%d rows: %s; local times are of %s", r.survey.rows, strings.Join(fields, ", "), r.zone)
	if r.survey.windows1252 {
		text += "; warning: the file is no UTF-8 and is read as Windows-1252"
	}
	return text
}

// Rows yields every row of the file: the row, or what is wrong with it. It
// ends early where the file cannot be read on; Err then says why. Each call
// begins anew.
func (r *Reader) Rows(ctx context.Context) iter.Seq2[timesheet.ImportRow, *timesheet.RowError] {
	return func(yield func(timesheet.ImportRow, *timesheet.RowError) bool) {
		r.err = r.each(ctx, func(rec record) bool { return yield(r.row(rec)) })
	}
}

// Err is why the last Rows ended early; nil where it did not.
func (r *Reader) Err() error { return r.err }

func (r *Reader) each(ctx context.Context, yield func(record) bool) error {
	file, err := open(ctx, r.source)
	if err != nil {
		return err
	}
	defer file.Close()
	records := newRecords(file, r.survey.comma)
	for header := true; ; header = false {
		rec, err := records.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		records.width = len(r.survey.header)
		if !header && !yield(rec) {
			return nil
		}
	}
}

// Locate adds to an error of one of the file's rows the column and the value
// that its field has in the file.
func (r *Reader) Locate(e *timesheet.RowError) *timesheet.RowError {
	i, ok := r.survey.columns[e.Field]
	if ok && i < len(e.Cells) {
		e.Column, e.Value = r.survey.header[i], clip(e.Cells[i], timesheet.MaxRowValue)
	}
	return e
}

// row turns a record into a row, or says why it cannot.
func (r *Reader) row(rec record) (timesheet.ImportRow, *timesheet.RowError) {
	if r.survey.windows1252 {
		for i, cell := range rec.cells {
			rec.cells[i] = fromWindows1252(cell)
		}
	}
	if e := r.intact(rec); e != nil {
		return timesheet.ImportRow{}, e
	}
	if r.survey.ours {
		for i, cell := range rec.cells {
			rec.cells[i] = harmless(cell)
		}
	}
	c := cells{r.survey.columns, rec.cells}
	row := timesheet.ImportRow{
		Line: rec.line, Cells: rec.cells,
		User: c.text(timesheet.FieldUser), Email: c.text(timesheet.FieldUserEmail),
		Client: c.text(timesheet.FieldClient), Project: c.text(timesheet.FieldProject), Task: c.text(timesheet.FieldTask),
		Tags: splitTags(c.text(timesheet.FieldTags)), Description: c.text(timesheet.FieldDescription),
		ExternalID: c.text(timesheet.FieldExternalID),
	}
	bad := c.billable(&row)
	if bad == nil {
		bad = c.span(&row, r.survey.order, r.zone)
	}
	if bad != nil {
		return timesheet.ImportRow{}, r.Locate(&timesheet.RowError{Line: rec.line, Field: bad.field, Code: bad.code, Message: bad.message, Cells: rec.cells})
	}
	return row, nil
}

// intact refuses a row that is not split or not encoded as it should be.
func (r *Reader) intact(rec record) *timesheet.RowError {
	e := &timesheet.RowError{Line: rec.line, Cells: rec.cells, Value: clip(rec.cells[0], timesheet.MaxRowValue)}
	if rec.fault != "" {
		e.Code, e.Message = timesheet.RowBadQuotes, rec.fault
		return e
	}
	if len(rec.cells) != len(r.survey.header) {
		e.Code, e.Message = timesheet.RowColumns, fmt.Sprintf("the row has %d columns, the header %d", len(rec.cells), len(r.survey.header))
		return e
	}
	for i, cell := range rec.cells {
		if !utf8.ValidString(cell) || strings.IndexByte(cell, 0) >= 0 {
			e.Column, e.Value = r.survey.header[i], clip(cell, timesheet.MaxRowValue)
			e.Code, e.Message = timesheet.RowInvalidUTF8, "this is no text in UTF-8"
			return e
		}
	}
	return nil
}
