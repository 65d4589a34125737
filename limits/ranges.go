package limits

import (
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

const day = 24 * time.Hour

// rangesOf names the arguments of a field, dotted where they lie in an input
// object, that are ranges of days: input objects with fields from and to of a
// scalar Date.
func (c *compiler) rangesOf(def *ast.FieldDefinition) []string {
	var out []string
	for _, arg := range def.Arguments {
		out = c.ranges(out, arg.Name, arg.Type, 0)
	}
	return out
}

// maxRangeDepth bounds the search in input types, which may contain themselves.
const maxRangeDepth = 3

func (c *compiler) ranges(out []string, name string, typ *ast.Type, depth int) []string {
	def := c.schema.Types[typ.Name()]
	if depth == maxRangeDepth || typ.Elem != nil || def == nil || def.Kind != ast.InputObject {
		return out
	}
	from, to := def.Fields.ForName("from"), def.Fields.ForName("to")
	if from != nil && to != nil && from.Type.Name() == "Date" && to.Type.Name() == "Date" {
		return append(out, name)
	}
	for _, f := range def.Fields {
		out = c.ranges(out, name+"."+f.Name, f.Type, depth+1)
	}
	return out
}

// rangeAt reads a range from a field's arguments.
func rangeAt(args map[string]any, name string) (from, to time.Time, ok bool) {
	var v any = args
	for key := range strings.SplitSeq(name, ".") {
		object, _ := v.(map[string]any)
		v = object[key]
	}
	object, _ := v.(map[string]any)
	first, _ := object["from"].(string)
	last, _ := object["to"].(string)
	from, err1 := time.Parse(time.DateOnly, first)
	to, err2 := time.Parse(time.DateOnly, last)
	return from, to, err1 == nil && err2 == nil
}
