package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"headroom/server"
	"headroom/spelling"
)

// givenVars are the variables of --vars: those of all operations and, under an
// operation's name, those of it alone.
type givenVars struct {
	file       string
	all        map[string]any
	operations []string // names that were asked for
	variables  []string // of those operations
}

func readVars(path string) (*givenVars, error) {
	vars := &givenVars{file: path, all: map[string]any{}}
	if path == "" {
		return vars, nil
	}
	raw, err := server.ReadText(path)
	if err == nil {
		err = server.ReadJSON(path, raw, &vars.all)
	}
	if err != nil {
		return nil, fmt.Errorf("--vars: %w", err)
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

// know takes down what unused is to find.
func (v *givenVars) know(d server.Document, q server.Quote) {
	v.operations, v.variables = append(v.operations, d.Name), append(v.variables, q.Takes...)
}

// defects are what is wrong with the variables for a document, in a line each: what
// does not fit, and what the file holds for this operation alone that it does not take.
func (v *givenVars) defects(d server.Document, takes []string, unfit server.UnfitError) (out []string) {
	tell := func(defect string) {
		out = append(out, fmt.Sprintf("%s: %s in %s: $%s", v.file, d.Title(), d.File, defect))
	}
	for _, name := range slices.Sorted(maps.Keys(v.own(d.Name))) {
		if !slices.Contains(takes, name) {
			tell(name + " is no variable of it" + nearest("$", name, takes))
		}
	}
	for _, defect := range unfit {
		tell(defect)
	}
	return out
}

// unused names what the file holds and no operation takes. Most of it may be meant
// for files that were not asked about; what stands under the name of an operation
// and holds no variables is wrong.
func (v *givenVars) unused() (notes []string, err error) {
	for _, name := range slices.Sorted(maps.Keys(v.all)) {
		_, object := v.all[name].(map[string]any)
		switch {
		case slices.Contains(v.variables, name):
		case !slices.Contains(v.operations, name):
			notes = append(notes, fmt.Sprintf("--vars: %s is neither an operation of these files nor a variable of one%s", name, nearest("", name, append(v.operations, v.variables...))))
		case !object:
			value, _ := json.Marshal(v.all[name])
			err = fmt.Errorf("%s: %s is an operation, so that its value has to be an object of its variables, not %.40s", v.file, name, value)
		}
	}
	return notes, err
}

// nearest is a hint to the known name that is most like one.
func nearest(sign, name string, known []string) string {
	if found := spelling.Nearest(name, known); found != "" {
		return "; did you mean " + sign + found + "?"
	}
	return ""
}
