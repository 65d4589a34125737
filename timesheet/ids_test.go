package timesheet

import (
	"strings"
	"testing"
)

func TestEntryID(t *testing.T) {
	const text = "0198a000-1234-7abc-8def-0123456789ab"
	id, err := ParseEntryID(text)
	if err != nil || id.String() != text || id.Version() != 7 {
		t.Fatalf("ParseEntryID(%s) = %s of version %d, %v", text, id, id.Version(), err)
	}
	if upper, err := ParseEntryID(strings.ToUpper(text)); err != nil || upper != id {
		t.Errorf("in capitals: %s, %v", upper, err)
	}
	if v, err := id.Value(); err != nil || v != text {
		t.Errorf("Value() = %v, %v", v, err)
	}
	for _, src := range []any{text, []byte(text), id[:], [16]byte(id)} {
		var got EntryID
		if err := got.Scan(src); err != nil || got != id {
			t.Errorf("Scan(%T) gave %s, %v", src, got, err)
		}
	}
	for _, src := range []any{nil, 7, "x", []byte("x")} {
		var got EntryID
		if err := got.Scan(src); err == nil {
			t.Errorf("Scan(%v) gave %s, want an error", src, got)
		}
	}
}

func FuzzParseEntryID(f *testing.F) {
	for _, text := range []string{
		"0198a000-1234-7abc-8def-0123456789ab", "", "0198a000123-7abc-8def-0123456789ab", "{0198a000-1234-7abc-8def-0123456789a}",
		"0198a000-1234-7abc-8def-0123456789ag", "0198a000-1234-7abc-8def-0123456789abc", "é198a000-123-7abc-8def-0123456789ab",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := ParseEntryID(text)
		if err == nil && id.String() != strings.ToLower(text) {
			t.Errorf("ParseEntryID(%q).String() = %s", text, id)
		}
		if err != nil && id != (EntryID{}) {
			t.Errorf("ParseEntryID(%q) failed and returned %s", text, id)
		}
	})
}
