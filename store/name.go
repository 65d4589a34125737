package store

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"headroom/timesheet"
)

// cleanName makes what a person typed into a name and the key by which names
// are compared and sorted. The name is trimmed and in Unicode's composed form
// (NFC); the key is the name with upper and lower case folded as Unicode does
// in every language alike. A name that is empty, invisible or too long, and
// one with control characters, breaks a rule of the field.
func cleanName(field, typed string) (name, key string, err error) {
	name, err = cleanText(field, typed, timesheet.MaxName)
	if err != nil {
		return "", "", err
	}
	if !strings.ContainsFunc(name, visible) {
		return "", "", timesheet.Errorf(timesheet.CodeInvalid, field, "this has no visible character")
	}
	return name, nameKey(name), nil
}

// cleanText trims and composes a line of text. PostgreSQL stores neither
// U+0000 nor broken UTF-8, so they must not reach it.
func cleanText(field, typed string, limit int) (string, error) {
	if !utf8.ValidString(typed) {
		return "", timesheet.Errorf(timesheet.CodeInvalid, field, "this is no text in UTF-8")
	}
	text := norm.NFC.String(strings.TrimSpace(typed))
	if n := utf8.RuneCountInString(text); n > limit {
		return "", timesheet.Errorf(timesheet.CodeInvalid, field, "this has %d characters, %d are allowed", n, limit)
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		return "", timesheet.Errorf(timesheet.CodeInvalid, field, "control characters are not allowed")
	}
	return text, nil
}

// visible tells characters that show from spaces, from those that only steer how
// others are shown, such as the zero-width joiner of emoji, and from letters and
// symbols whose sign is empty, such as the fillers of Hangul.
func visible(r rune) bool {
	return !unicode.IsSpace(r) && !unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector, blank)
}

// blank are the characters of an empty sign that Unicode has no property for:
// the Braille pattern without dots and the note without a head.
var blank = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x2800, Hi: 0x2800, Stride: 1}},
	R32: []unicode.Range32{{Lo: 0x1D159, Hi: 0x1D159, Stride: 1}},
}

// nameKey folds a name for comparison: Straße equals STRASSE. Two names have
// one key where they are a canonical caseless match (Unicode 17, D145).
func nameKey(name string) string {
	return norm.NFC.String(cases.Fold().String(norm.NFD.String(name)))
}

// searchKey folds a part of a name that a list is searched for.
func searchKey(field, typed string) (string, error) {
	text, err := cleanText(field, typed, timesheet.MaxName)
	return nameKey(text), err
}
