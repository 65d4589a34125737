// Package spelling finds the word that somebody meant. What is misspelt is
// compared with what is known: keys of files, names of commands' subjects,
// variables and fields.
package spelling

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
)

// Nearest is the known word that is most like one that is not known, "" where none
// is like it: a third of its letters may be wrong, and their case never counts.
func Nearest(word string, known []string) string {
	distance := func(a string) int { return levenshtein.ComputeDistance(strings.ToLower(a), strings.ToLower(word)) }
	known = slices.DeleteFunc(slices.Clone(known), func(k string) bool { return k == "" })
	if word == "" || len(known) == 0 {
		return ""
	}
	best := slices.MinFunc(known, func(a, b string) int { return cmp.Compare(distance(a), distance(b)) })
	if distance(best) > (utf8.RuneCountInString(word)+2)/3 {
		return ""
	}
	return best
}
