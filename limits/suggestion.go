package limits

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Kinds of suggestions.
const (
	ReduceArgument = "REDUCE_ARGUMENT" // MaxAccepted is the largest value accepted, the next is refused
	NarrowRange    = "NARROW_RANGE"    // MaxAccepted is the longest range accepted, counted from its end
	ReduceAll      = "REDUCE_ALL"      // ReduceArgument of all Places at once
	NarrowAll      = "NARROW_ALL"      // NarrowRange of all Places at once
	DropField      = "DROP_FIELD"      // without this field the operation is accepted
	DropFields     = "DROP_FIELDS"     // without the root fields of all Places the operation is accepted, with one of them it is not
	SplitOperation = "SPLIT_OPERATION" // sent on its own, this root field does not hold up the others
	UseExport      = "USE_EXPORT"      // Mutation makes a file of what this root field asks for
)

// Suggestion is a change after which the operation would be accepted. Its JSON
// form is the one clients are told.
type Suggestion struct {
	Kind        string  `json:"kind"`
	Path        string  `json:"path,omitempty"`
	Argument    string  `json:"argument,omitempty"`
	Given       Amount  `json:"given,omitzero"`
	MaxAccepted Amount  `json:"maxAccepted,omitzero"`
	Estimated   float64 `json:"estimated,omitempty"` // with MaxAccepted, in the error's unit
	Saves       float64 `json:"saves,omitempty"`     // in the error's unit
	Mutation    string  `json:"mutation,omitempty"`
	Places      []Place `json:"places,omitempty"`
}

// Concerns tells whether the change is at a field or at one above it.
func (s Suggestion) Concerns(path string) bool {
	places := append([]Place{{Path: s.Path}}, s.Places...)
	return slices.ContainsFunc(places, func(p Place) bool {
		return p.Path != "" && (path == p.Path || strings.HasPrefix(path, p.Path+"."))
	})
}

// Place is an argument of a field, or a field.
type Place struct {
	Path     string `json:"path"`
	Argument string `json:"argument,omitempty"`
}

// Amount is the value of an argument: a number or, of a range, its days.
type Amount struct {
	N    int64
	Days bool
}

// String is the number, or the days as an ISO 8601 duration such as P92D.
func (a Amount) String() string {
	if a.Days {
		return "P" + strconv.FormatInt(a.N, 10) + "D"
	}
	return strconv.FormatInt(a.N, 10)
}

// MarshalJSON writes a number, or a duration as a string.
func (a Amount) MarshalJSON() ([]byte, error) {
	if a.Days {
		return json.Marshal(a.String())
	}
	return json.Marshal(a.N)
}

// UnmarshalJSON is the inverse of MarshalJSON.
func (a *Amount) UnmarshalJSON(raw []byte) error {
	text := string(raw)
	a.Days = strings.HasPrefix(text, `"P`) && strings.HasSuffix(text, `D"`)
	if a.Days {
		text = text[2 : len(text)-2]
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("%s is neither a number nor a number of days", raw)
	}
	a.N = n
	return nil
}
