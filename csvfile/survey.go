package csvfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"headroom/timesheet"
)

// survey is what the first reading finds out.
type survey struct {
	comma       byte
	header      []string
	columns     columns
	windows1252 bool
	order       Order
	rows        int
	ours        bool // written by [Export]
}

// take reads a whole file.
func (s *survey) take(r stream, o Options) error {
	head, err := r.Peek(readSize)
	if err != nil && err != io.EOF {
		return err
	}
	if binary(head) {
		return errors.New("this is no text file: save the table as CSV in UTF-8")
	}
	s.comma = sniff(head)
	records := newRecords(r, s.comma)
	if err := s.readHeader(records, o.Mapping); err != nil {
		return err
	}
	var letters letters
	var dates evidence
	for {
		rec, err := records.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		s.rows++
		for _, cell := range rec.cells {
			letters.add(cell)
		}
		if len(rec.cells) == len(s.header) {
			s.columns.collectDates(rec.cells, &dates)
		}
	}
	s.windows1252 = letters.windows1252()
	return s.settleOrder(o.DateOrder, dates)
}

func (s *survey) readHeader(records *records, m Mapping) error {
	rec, err := records.next()
	switch {
	case err == io.EOF:
		return errors.New("the file is empty")
	case err != nil:
		return err
	case rec.fault != "":
		return fmt.Errorf("the header in line %d is no CSV: %s", rec.line, rec.fault)
	}
	for _, cell := range rec.cells {
		if !utf8.ValidString(cell) {
			cell = fromWindows1252(cell)
		}
		s.header = append(s.header, strings.TrimSpace(cell))
	}
	records.width = len(s.header)
	s.ours = len(s.header) > len(ourColumns) && slices.Equal(s.header[:len(ourColumns)], ourColumns)
	s.columns, err = m.locate(s.header)
	return err
}

func (c columns) collectDates(cells []string, dates *evidence) {
	for _, field := range []timesheet.ImportField{timesheet.FieldDate, timesheet.FieldStart, timesheet.FieldEnd} {
		if i, ok := c[field]; ok {
			dates.add(cells[i])
		}
	}
}

func (s *survey) settleOrder(given Order, dates evidence) error {
	s.order = given
	if given == OrderUnknown {
		s.order = dates.decide()
	}
	switch {
	case s.order != OrderUnknown:
		return nil
	case dates.dayFirst > 0:
		return fmt.Errorf("the file has %d dates that can only be day/month/year and %d that can only be month/day/year: say --date-order dmy or --date-order mdy",
			dates.dayFirst, dates.monthFirst)
	}
	return fmt.Errorf("dates such as %s can be day/month/year or month/day/year, and none in the file tells which: say --date-order dmy or --date-order mdy", dates.example)
}

// binary tells by its first line that a file is no text. A stray NUL further
// down makes one row bad.
func binary(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	return bytes.ContainsFunc(line, func(r rune) bool {
		return r < ' ' && !strings.ContainsRune("\t\v\f\r\x1b", r)
	})
}

// sniffed is how many rows decide what separates the columns.
const sniffed = 20

// sniff returns the delimiter that splits most of the first rows into as many
// columns as the header has; of several, the one that gives the most columns.
func sniff(head []byte) byte {
	best, bestColumns := byte(','), 1
	for _, comma := range []byte(",;\t|") {
		widths := widths(head, comma)
		if len(widths) == 0 {
			continue
		}
		same := len(slices.DeleteFunc(slices.Clone(widths), func(w int) bool { return w != widths[0] }))
		if widths[0] > bestColumns && 2*same > len(widths) {
			best, bestColumns = comma, widths[0]
		}
	}
	return best
}

// widths counts the columns of the first rows.
func widths(head []byte, comma byte) (n []int) {
	for len(n) < sniffed && len(head) > 0 {
		cells, size, fault := split(head, comma, true)
		if fault != "" {
			return n
		}
		if head = head[size:]; !(record{cells: cells}).blank() {
			n = append(n, len(cells))
		}
	}
	return n
}
