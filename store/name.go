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
// in every language alike. An empty or too long name and one with control
// characters breaks a rule of the field.
func cleanName(field, typed string) (name, key string, err error) {
	if !utf8.ValidString(typed) {
		return "", "", timesheet.Errorf(timesheet.CodeInvalid, field, "a name is text in UTF-8")
	}
	name = norm.NFC.String(strings.TrimSpace(typed))
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		return "", "", timesheet.Errorf(timesheet.CodeInvalid, field, "a name is not empty")
	case n > timesheet.MaxName:
		return "", "", timesheet.Errorf(timesheet.CodeInvalid, field, "a name has at most %d characters, this one has %d", timesheet.MaxName, n)
	}
	if strings.ContainsFunc(name, unicode.IsControl) {
		return "", "", timesheet.Errorf(timesheet.CodeInvalid, field, "a name has no control characters")
	}
	return name, nameKey(name), nil
}

// nameKey folds a name for comparison: Straße equals STRASSE.
func nameKey(name string) string {
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(name)))
}
