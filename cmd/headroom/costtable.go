package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"headroom/limits"
)

// costLine is the price of one operation, as --json prints it.
type costLine struct {
	File        string              `json:"file"`
	Operation   string              `json:"operation"`
	ID          string              `json:"id,omitempty"` // in a manifest
	Points      float64             `json:"points"`
	Nodes       int64               `json:"nodes"`
	Class       string              `json:"class,omitempty"` // "" where there is no price
	Role        string              `json:"role,omitempty"`  // for which it is dearest, where that matters
	Verdict     string              `json:"verdict"`         // ACCEPTED or why not
	Assumed     map[string]any      `json:"assumed,omitempty"`
	Suggestions []limits.Suggestion `json:"suggestions,omitempty"`
	Defects     []string            `json:"defects,omitempty"` // of the variables
}

const (
	costAccepted = "ACCEPTED"
	costUnfit    = "its variables do not fit"
)

func printJSON(out io.Writer, lines []costLine) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(append([]costLine{}, lines...)) // a list, be it empty
}

func printTable(out io.Writer, lines []costLine) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "OPERATION\tFILE\tPOINTS\tNODES\tCLASS\tVERDICT")
	for _, l := range lines {
		price := "-\t-\t-"
		if l.Class != "" {
			price = fmt.Sprintf("%.2f\t%d\t%s", l.Points, l.Nodes, l.Class)
		}
		name := l.Operation
		if name == "" {
			name = "(without a name)"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", name, l.File, price, l.told())
	}
	return w.Flush()
}

// told is the verdict with what would be accepted, and what it rests on.
func (l *costLine) told() string {
	text := l.Verdict
	if text == costAccepted {
		text = strings.ToLower(text)
	}
	if advice := advice(l.Suggestions); advice != "" {
		text += "; " + advice
	}
	if l.Role != "" {
		text += fmt.Sprintf(" (asked by %s)", withArticle(strings.ToLower(l.Role)))
	}
	for _, name := range slices.Sorted(maps.Keys(l.Assumed)) {
		text += fmt.Sprintf(" ($%s assumed: %v)", name, l.Assumed[name])
	}
	return text
}

func withArticle(noun string) string {
	if strings.ContainsAny(noun[:1], "aeiou") {
		return "an " + noun
	}
	return "a " + noun
}

// advice is the first of the suggestions for a table and, where a list could be
// smaller or a range shorter, both.
func advice(suggestions []limits.Suggestion) string {
	var out []string
	kinds := map[string]bool{}
	for _, s := range suggestions {
		number := s.Kind == limits.ReduceArgument || s.Kind == limits.NarrowRange
		if len(out) == 0 || number && !kinds[s.Kind] {
			out = append(out, advised(s))
			kinds[s.Kind] = true
		}
	}
	return strings.Join(out, ", or ")
}

// advised is one suggestion in words.
func advised(s limits.Suggestion) string {
	var places []string
	for _, p := range s.Places {
		if p.Argument != "" {
			p.Path = p.Argument + " of " + p.Path
		}
		places = append(places, p.Path)
	}
	switch s.Kind {
	case limits.ReduceArgument:
		return fmt.Sprintf("%s of %s at most %s", s.Argument, s.Path, s.MaxAccepted)
	case limits.NarrowRange:
		return fmt.Sprintf("%s of %s at most %s", s.Argument, s.Path, days(s.MaxAccepted))
	case limits.ReduceAll:
		return fmt.Sprintf("%s at most %s each", strings.Join(places, ", "), s.MaxAccepted)
	case limits.NarrowAll:
		return fmt.Sprintf("%s at most %s each", strings.Join(places, ", "), days(s.MaxAccepted))
	case limits.DropField:
		return "accepted without " + s.Path
	case limits.DropFields:
		return "accepted without " + strings.Join(places, ", ")
	case limits.SplitOperation:
		return fmt.Sprintf("accepted with %s in an operation of its own", s.Path)
	}
	return ""
}

func days(a limits.Amount) string {
	if a.N == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", a.N)
}
