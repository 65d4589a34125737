package csvfile

import (
	"bytes"
	"io"
	"strings"
)

// maxRecord bounds a row, and with it what a quote that is never closed can
// swallow.
const maxRecord = 1 << 20

// record is a row as it stands in the file.
type record struct {
	line  int // of its first line, 1-based
	cells []string
	fault string // not empty: why it could not be split; cells holds its first line
}

// blank tells whether the row holds nothing.
func (r record) blank() bool {
	for _, cell := range r.cells {
		if cell != "" {
			return false
		}
	}
	return r.fault == ""
}

// records splits a file into rows by RFC 4180, with lines ending in LF or
// CRLF. Where quotes do not match, it gives up the line and goes on with the
// next one: encoding/csv would read the rest of the file into one cell.
type records struct {
	r     io.Reader
	comma byte
	width int    // of the header, once it is known
	buf   []byte // read and not yet split
	eof   bool
	line  int
}

func newRecords(r io.Reader, comma byte) *records {
	return &records{r: r, comma: comma, line: 1}
}

// next returns the next row that is not blank, or io.EOF.
func (s *records) next() (record, error) {
	for {
		rec, err := s.read()
		if err != nil || !rec.blank() {
			return rec, err
		}
	}
}

func (s *records) read() (record, error) {
	for {
		if s.eof && len(s.buf) == 0 {
			return record{}, io.EOF
		}
		cells, n, fault := split(s.buf, s.comma, s.eof)
		if fault == faultIncomplete && !s.eof && len(s.buf) < maxRecord {
			if err := s.fill(); err != nil {
				return record{}, err
			}
			continue
		}
		if fault == "" && s.swallows(cells, n) {
			fault = faultIncomplete
		}
		if fault != "" {
			return s.skipLine(fault)
		}
		return s.take(n, cells, ""), nil
	}
}

// swallows tells a stray quote that has found another one in a later line:
// the row it makes is of several lines and of another width than the header.
func (s *records) swallows(cells []string, n int) bool {
	return s.width > 0 && len(cells) != s.width && bytes.IndexByte(s.buf[:n], '\n') < n-1
}

// take consumes n bytes as one record.
func (s *records) take(n int, cells []string, fault string) record {
	rec := record{line: s.line, cells: cells, fault: fault}
	s.line += bytes.Count(s.buf[:n], []byte{'\n'})
	s.buf = s.buf[n:]
	return rec
}

// skipLine gives up the line at the front.
func (s *records) skipLine(fault string) (record, error) {
	end, err := s.lineEnd(maxRecord)
	if err != nil {
		return record{}, err
	}
	if end > 0 {
		return s.take(end, []string{strings.TrimRight(string(s.buf[:end]), "\r\n")}, fault), nil
	}
	rec := s.take(len(s.buf), []string{string(s.buf[:1000])}, "a line has at most 1 MiB")
	for end == 0 && !s.eof {
		s.buf = s.buf[len(s.buf):]
		if end, err = s.lineEnd(readSize); err != nil {
			return record{}, err
		}
	}
	s.line++
	s.buf = s.buf[end:]
	return rec, nil
}

// lineEnd is the length of the line at the front, or 0 where more than limit
// bytes hold no end of it.
func (s *records) lineEnd(limit int) (int, error) {
	for {
		if end := bytes.IndexByte(s.buf, '\n') + 1; end > 0 {
			return end, nil
		}
		if s.eof {
			return len(s.buf), nil
		}
		if len(s.buf) >= limit {
			return 0, nil
		}
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
}

const readSize = 64 << 10

// fill reads more of the file behind what is there.
func (s *records) fill() error {
	if cap(s.buf)-len(s.buf) < readSize {
		grown := make([]byte, len(s.buf), 2*len(s.buf)+2*readSize)
		copy(grown, s.buf)
		s.buf = grown
	}
	n, err := s.r.Read(s.buf[len(s.buf):cap(s.buf)])
	s.buf = s.buf[:len(s.buf)+n]
	if err == io.EOF {
		s.eof = true
		return nil
	}
	return err
}

const (
	faultIncomplete = "a quote is never closed"
	faultQuote      = "text follows a closing quote; a quote within a quoted cell is written twice"
)

// split cuts the first row off b: its cells, its length with the line's end,
// and why it could not be cut. Without eof the row may go on beyond b.
func split(b []byte, comma byte, eof bool) (cells []string, n int, fault string) {
	for i := 0; ; {
		cell, end, fault := cut(b, i, comma, eof)
		if fault != "" {
			return nil, 0, fault
		}
		cells = append(cells, cell)
		if end == len(b) {
			return cells, end, ""
		}
		if b[end] == '\n' {
			return cells, end + 1, ""
		}
		i = end + 1
	}
}

// cut returns the cell that begins at i and the index of the delimiter or
// line feed behind it, or of the end of the file.
func cut(b []byte, i int, comma byte, eof bool) (cell string, end int, fault string) {
	if i < len(b) && b[i] == '"' {
		return cutQuoted(b, i+1, comma, eof)
	}
	for end = i; end < len(b); end++ {
		if b[end] == comma {
			return string(b[i:end]), end, ""
		}
		if b[end] == '\n' {
			return strings.TrimSuffix(string(b[i:end]), "\r"), end, ""
		}
	}
	if !eof {
		return "", 0, faultIncomplete
	}
	return strings.TrimSuffix(string(b[i:]), "\r"), end, ""
}

func cutQuoted(b []byte, i int, comma byte, eof bool) (cell string, end int, fault string) {
	var text []byte
	for {
		quote := bytes.IndexByte(b[i:], '"')
		if quote < 0 {
			return "", 0, faultIncomplete
		}
		text = append(text, b[i:i+quote]...)
		i += quote + 1
		rest := b[i:]
		switch {
		case len(rest) > 0 && rest[0] == '"':
			text = append(text, '"')
			i++
		case len(rest) > 0 && (rest[0] == comma || rest[0] == '\n'):
			return string(text), i, ""
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			return string(text), i + 1, ""
		case eof && (len(rest) == 0 || string(rest) == "\r"):
			return string(text), len(b), ""
		case !eof && len(rest) < 2:
			return "", 0, faultIncomplete
		default:
			return "", 0, faultQuote
		}
	}
}
