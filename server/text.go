package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"unicode/utf8"
)

// MaxText bounds what is read of one file or address, in bytes.
const MaxText = 64 << 20

// ReadText reads a file of text in UTF-8. The error names the file, and what it is
// instead.
func ReadText(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a folder: name files, such as '%s/*.graphql'", path, path)
	}
	raw, err := io.ReadAll(io.LimitReader(f, MaxText+1))
	if err != nil {
		return nil, err
	}
	return CheckText(path, raw)
}

// CheckText returns a text without the byte order mark that some editors write
// before it. The error says that these bytes are no text in UTF-8, or too many.
func CheckText(name string, raw []byte) ([]byte, error) {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	switch {
	case len(raw) > MaxText:
		return nil, fmt.Errorf("%s is larger than 64 MiB", name)
	case bytes.HasPrefix(raw, []byte("\xff\xfe")), bytes.HasPrefix(raw, []byte("\xfe\xff")):
		return nil, fmt.Errorf("%s is text in UTF-16: save it as UTF-8", name)
	case bytes.IndexByte(raw, 0) >= 0:
		return nil, fmt.Errorf("%s is no text", name)
	}
	if at := notUTF8(raw); at >= 0 {
		return nil, fmt.Errorf("%s:%s: this is not UTF-8", name, placeIn(raw, at))
	}
	return raw, nil
}

// notUTF8 is where a text is not UTF-8, -1 if it is.
func notUTF8(raw []byte) int {
	for at := 0; at < len(raw); {
		r, size := utf8.DecodeRune(raw[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return -1
}

// placeIn is the line and the column, in bytes, of an offset.
func placeIn(raw []byte, offset int) string {
	before := raw[:min(max(0, offset), len(raw))]
	return fmt.Sprintf("%d:%d", 1+bytes.Count(before, []byte("\n")), len(before)-bytes.LastIndexByte(before, '\n'))
}

// ReadJSON reads a JSON value into v, with numbers as they are written. The error
// begins with the name and, where it is of the syntax or a key that an object holds
// twice, with the place: of two values one would be lost in silence.
func ReadJSON(name string, raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	err := d.Decode(v)
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("%s:%s: this is no JSON: %w", name, placeIn(raw, int(syntax.Offset)-1), err)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%s is empty", name)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s:%s: the JSON ends in the middle", name, placeIn(raw, len(raw)))
	case errors.As(err, &wrong):
		return fmt.Errorf("%s:%s: this is a JSON %s, where %s belongs", name, placeIn(raw, int(wrong.Offset)-1), wrong.Value, jsonKinds[wrong.Type.Kind()])
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
	}
	if rest := bytes.TrimLeft(raw[d.InputOffset():], " \t\r\n"); len(rest) > 0 {
		return fmt.Errorf("%s:%s: something stands after the JSON value", name, placeIn(raw, len(raw)-len(rest)))
	}
	return repeatedKey(name, raw)
}

// jsonKinds are the values that Go's kinds are read from.
var jsonKinds = map[reflect.Kind]string{
	reflect.Map: "an object", reflect.Struct: "an object", reflect.Pointer: "an object",
	reflect.Slice: "a list", reflect.String: "a text", reflect.Int: "a number", reflect.Int64: "a number", reflect.Float64: "a number",
}

// level is an object or a list around a place in a JSON text.
type level struct {
	keys  map[string]int // where each stands; nil of a list
	value bool           // the next is a value, not a key
}

// repeatedKey names a key that an object holds twice, and both places.
func repeatedKey(name string, raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	var around []level
	for {
		began := int(d.InputOffset())
		token, err := d.Token()
		if err != nil {
			return nil // the end: it was read before
		}
		delim, _ := token.(json.Delim)
		if delim == '{' || delim == '[' {
			around = append(around, level{})
			if delim == '{' {
				around[len(around)-1].keys = map[string]int{}
			}
			continue
		}
		if delim != 0 {
			around = around[:len(around)-1]
		}
		if len(around) == 0 {
			continue
		}
		in := &around[len(around)-1]
		if in.keys == nil || in.value {
			in.value = false
			continue
		}
		if key, ok := token.(string); ok && delim == 0 {
			at := began + bytes.IndexByte(raw[began:], '"')
			if first, twice := in.keys[key]; twice {
				return fmt.Errorf("%s:%s: the key %q stands here again, first at %s", name, placeIn(raw, at), key, placeIn(raw, first))
			}
			in.keys[key], in.value = at, true
		}
	}
}
