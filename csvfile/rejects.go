package csvfile

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"

	"headroom/timesheet"
)

// Rejects writes the rows that were not taken, as they stand in the file, with
// one more column that says why. What it writes can be put right and read
// again.
type Rejects struct {
	w     *csv.Writer
	width int
}

// Rejects writes the header at once.
func (r *Reader) Rejects(w io.Writer) (*Rejects, error) {
	x := &Rejects{w: csv.NewWriter(w), width: len(r.survey.header)}
	x.w.Comma = rune(r.survey.comma)
	return x, x.write(r.survey.header, "error")
}

// Add writes a row.
func (x *Rejects) Add(e *timesheet.RowError) error {
	reason := fmt.Sprintf("%s: %s", e.Code, e.Message)
	if e.Column != "" {
		reason = fmt.Sprintf("%s %s", e.Column, reason)
	}
	return x.write(e.Cells, reason)
}

// Flush hands everything to the underlying writer.
func (x *Rejects) Flush() error {
	x.w.Flush()
	return x.w.Error()
}

// write keeps the last column's place where the row has too few cells.
func (x *Rejects) write(cells []string, last string) error {
	cells = slices.Clone(cells)
	for len(cells) < x.width {
		cells = append(cells, "")
	}
	return x.w.Write(append(cells, last))
}
