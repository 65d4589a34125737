package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"headroom/server"
)

// givenVars are the variables of --vars: those of all operations and, under an
// operation's name, those of it alone.
type givenVars struct {
	all   map[string]any
	names []string // of operations and their variables, as far as they were asked for
}

func readVars(path string) (*givenVars, error) {
	vars := &givenVars{all: map[string]any{}}
	if path == "" {
		return vars, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--vars: %w", err)
	}
	if err := json.Unmarshal(raw, &vars.all); err != nil {
		return nil, fmt.Errorf("--vars: %s is no JSON object: %w", path, err)
	}
	return vars, nil
}

// of are those that the file holds for all operations, and for this one.
func (v *givenVars) of(operation string) map[string]any {
	all := maps.Clone(v.all)
	maps.Copy(all, v.own(operation))
	return all
}

func (v *givenVars) own(operation string) map[string]any {
	own, _ := v.all[operation].(map[string]any)
	return own
}

// unknown names a variable that the file holds for an operation that takes none of
// this name, "" if there is none.
func (v *givenVars) unknown(operation string, takes []string) string {
	v.names = append(append(v.names, takes...), operation)
	for _, name := range slices.Sorted(maps.Keys(v.own(operation))) {
		if !slices.Contains(takes, name) {
			return fmt.Sprintf("--vars has $%s for %s, which takes no such variable%s", name, operation, nearest("$", name, takes))
		}
	}
	return ""
}

// tellUnused names what the file holds and no operation takes. It may be meant for
// files that were not asked about, so it refuses nothing.
func (v *givenVars) tellUnused(out io.Writer) {
	for _, name := range slices.Sorted(maps.Keys(v.all)) {
		if !slices.Contains(v.names, name) {
			fmt.Fprintf(out, "headroom: --vars: %s is neither an operation of these files nor a variable of one%s\n", name, nearest("", name, v.names))
		}
	}
}

// nearest is a hint to the known name that is most like one.
func nearest(sign, name string, known []string) string {
	if found := server.Nearest(name, known); found != "" {
		return "; did you mean " + sign + found + "?"
	}
	return ""
}
