package loadtest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"headroom/spelling"
)

// reader reads a YAML file strictly and keeps the first thing that is wrong
// with it: where, what, and what was expected.
type reader struct {
	file string
	err  error
}

// fail keeps an error about a node unless there is one already.
func (r *reader) fail(at ast.Node, format string, values ...any) {
	if r.err == nil {
		p := at.GetToken().Position
		r.err = fmt.Errorf("%s:%d:%d: %s", r.file, p.Line, p.Column, fmt.Sprintf(format, values...))
	}
}

// parse returns the file's one document; nil if it is none.
func (r *reader) parse(text []byte) ast.Node {
	file, err := parser.ParseBytes(text, 0)
	var syntax *yaml.SyntaxError
	switch {
	case errors.As(err, &syntax):
		p := syntax.Token.Position
		r.err = fmt.Errorf("%s:%d:%d: %s", r.file, p.Line, p.Column, syntax.Message)
	case err != nil:
		r.err = fmt.Errorf("%s: %w", r.file, err)
	case len(file.Docs) == 0 || len(file.Docs) == 1 && file.Docs[0].Body == nil:
		r.err = fmt.Errorf("%s is empty", r.file)
	case len(file.Docs) != 1:
		r.err = fmt.Errorf("%s: it holds %d documents, and one is expected", r.file, len(file.Docs))
	default:
		return file.Docs[0].Body
	}
	return nil
}

// field is how the value of one key is read.
type field struct {
	name string
	read func(ast.Node)
}

// object reads a mapping with the keys given and no others; what names it in
// messages.
func (r *reader) object(node ast.Node, what string, fields ...field) {
	names := make([]string, 0, len(fields))
	for _, f := range fields {
		names = append(names, f.name)
	}
	r.each(node, what, func(key string, at, value ast.Node) {
		known := slices.Index(names, key)
		if known < 0 {
			r.fail(at, "unknown key %q of %s%s", key, what, suggest(key, names))
			return
		}
		fields[known].read(value)
	})
}

// each calls read for every key of a mapping, in its order.
func (r *reader) each(node ast.Node, what string, read func(key string, at, value ast.Node)) {
	var values []*ast.MappingValueNode
	switch m := node.(type) {
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	default:
		r.fail(node, "%s must be keys with values, not %s", what, kindName(node))
		return
	}
	seen := map[string]bool{}
	for _, v := range values {
		key := v.Key.GetToken().Value
		if seen[key] {
			r.fail(v.Key, "key %q stands twice in %s", key, what)
		}
		seen[key] = true
		read(key, v.Key, v.Value)
	}
}

// items calls read for every item of a list.
func (r *reader) items(node ast.Node, what string, read func(ast.Node)) {
	list, ok := node.(*ast.SequenceNode)
	if !ok {
		r.fail(node, "%s must be a list, not %s", what, kindName(node))
		return
	}
	for _, item := range list.Values {
		read(item)
	}
}

// text reads a scalar as it is written.
func (r *reader) text(node ast.Node, what string) string {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value
	}
	r.fail(node, "%s must be a text, not %s", what, kindName(node))
	return ""
}

// number reads a number between two bounds.
func (r *reader) number(node ast.Node, what string, least, most float64) float64 {
	n, err := strconv.ParseFloat(node.GetToken().Value, 64)
	if err != nil || !(n >= least && n <= most) {
		r.fail(node, "%s must be a number from %g to %g, not %q", what, least, most, node.GetToken().Value)
		return least
	}
	return n
}

// whole reads a whole number between two bounds.
func (r *reader) whole(node ast.Node, what string, least, most int) int {
	n := r.number(node, what, float64(least), float64(most))
	if n != math.Trunc(n) {
		r.fail(node, "%s must be a whole number, not %q", what, node.GetToken().Value)
	}
	return int(n)
}

// duration reads a time such as 30s or 1m30s.
func (r *reader) duration(node ast.Node, what string) time.Duration {
	d, err := time.ParseDuration(r.text(node, what))
	if err != nil || d < 0 || d > maxTime {
		r.fail(node, "%s must be a time such as 30s, up to %v, not %q", what, maxTime, node.GetToken().Value)
		return 0
	}
	return d
}

// share reads a part such as 99.9%.
func (r *reader) share(node ast.Node, what string) float64 {
	text := r.text(node, what)
	number, found := strings.CutSuffix(text, "%")
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !(n >= 0 && n <= 100) || !found && n != 0 {
		r.fail(node, "%s must be a share such as 99.9%%, not %q", what, text)
		return 0
	}
	return n / 100
}

// flag reads true or false.
func (r *reader) flag(node ast.Node, what string) bool {
	b, ok := node.(*ast.BoolNode)
	if !ok {
		r.fail(node, "%s must be true or false, not %s", what, kindName(node))
		return false
	}
	return b.Value
}

// oneOf reads one of the words given.
func (r *reader) oneOf(node ast.Node, what string, words ...string) string {
	word := r.text(node, what)
	if !slices.Contains(words, word) {
		r.fail(node, "%s cannot be %q%s", what, word, suggest(word, words))
	}
	return word
}

// texts reads a list of texts.
func (r *reader) texts(node ast.Node, what string) (list []string) {
	r.items(node, what, func(item ast.Node) { list = append(list, r.text(item, what)) })
	return list
}

func kindName(node ast.Node) string {
	switch node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys with values"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode:
		return "nothing"
	case *ast.AnchorNode, *ast.AliasNode:
		return "an anchor or alias"
	}
	return fmt.Sprintf("%q", node.GetToken().Value)
}

// suggest names the known word that is nearest, and all of them.
func suggest(word string, known []string) string {
	if len(known) == 0 {
		return ""
	}
	text := ""
	if nearest := spelling.Nearest(word, known); nearest != "" {
		text = fmt.Sprintf(": did you mean %q?", nearest)
	}
	sorted := slices.Sorted(slices.Values(known))
	return text + " (known: " + strings.Join(sorted, ", ") + ")"
}
