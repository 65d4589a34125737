package csvfile

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/ulikunitz/xz"
	"golang.org/x/text/encoding/unicode"
)

// Source opens the bytes of a file; a [Reader] does so twice.
type Source func() (io.ReadCloser, error)

// FromPath is the file at a path.
func FromPath(path string) Source {
	return func() (io.ReadCloser, error) { return os.Open(path) }
}

// stream is an opened source: unpacked, without byte order mark, and in UTF-8
// where the mark says UTF-16.
type stream struct {
	*bufio.Reader
	closer io.Closer
}

func (s stream) Close() error { return s.closer.Close() }

var errBroken = errors.New("the archive is broken or incomplete: fetch or pack it again")

// open starts reading the source from its beginning.
func open(ctx context.Context, source Source) (stream, error) {
	file, err := source()
	if err != nil {
		return stream{}, err
	}
	r, err := unpack(bufio.NewReaderSize(&cancellable{ctx, file}, readSize))
	if err != nil {
		file.Close()
		return stream{}, err
	}
	return stream{decodeMark(r), file}, nil
}

// cancellable stops reading when the context ends.
type cancellable struct {
	ctx context.Context
	r   io.Reader
}

func (c *cancellable) Read(p []byte) (int, error) {
	if err := context.Cause(c.ctx); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// unpack recognises archives by their first bytes and not by their names.
func unpack(r *bufio.Reader) (*bufio.Reader, error) {
	head, err := r.Peek(6)
	if err != nil && err != io.EOF {
		return nil, err
	}
	var packed io.Reader
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		packed, err = gzip.NewReader(r)
	case bytes.HasPrefix(head, []byte("\xfd7zXZ\x00")):
		packed, err = xz.NewReader(r)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return nil, errors.New("this is a zip archive or a spreadsheet: unpack it, or save the sheet as CSV")
	default:
		return r, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", errBroken, err)
	}
	return bufio.NewReaderSize(unpacking{packed}, readSize), nil
}

// unpacking names the archive in errors of unpacking it.
type unpacking struct{ r io.Reader }

func (u unpacking) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	if err != nil && err != io.EOF && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%w (%w)", errBroken, err)
	}
	return n, err
}

func decodeMark(r *bufio.Reader) *bufio.Reader {
	head, _ := r.Peek(3) // a file shorter than its mark has none
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, _ = r.Discard(3) // just peeked at
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		utf16 := unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder()
		return bufio.NewReaderSize(utf16.Reader(r), readSize)
	}
	return r
}
