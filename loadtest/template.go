package loadtest

import (
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/google/uuid"
)

// A value draws one part of an operation's variables.
type value func(*drawing) any

// drawing is what the substitutions of one call share.
type drawing struct {
	rng   *rand.Rand
	scene *scene
	user  *User
	rows  map[string][]string // of data files, drawn once a call
}

// dataFile is a CSV file with a header, whose rows are drawn.
type dataFile struct {
	columns []string
	whole   []bool // the columns that hold whole numbers and nothing else
	rows    [][]string
}

// readData reads a data file; a relative path counts from dir.
func readData(path, dir string) (*dataFile, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the data: %w", err)
	}
	defer file.Close()
	lines, err := csv.NewReader(file).ReadAll()
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the data in %s: %w", path, err)
	case len(lines) < 2:
		return nil, fmt.Errorf("the data in %s have no rows: a header and at least one row are expected", path)
	}
	data := &dataFile{columns: lines[0], rows: lines[1:]}
	for at := range data.columns {
		data.whole = append(data.whole, !slices.ContainsFunc(data.rows, func(row []string) bool { return !isWhole(row[at]) }))
	}
	return data, nil
}

// isWhole tells a whole number, as it is written, from a code such as 00100.
func isWhole(text string) bool {
	n, err := strconv.ParseInt(text, 10, 64)
	return err == nil && strconv.FormatInt(n, 10) == text
}

// variables makes the drawing of variables out of their YAML. A text that is
// nothing but one ${...} keeps the type of what is put in.
func (s *spec) variables(node ast.Node) func(*rand.Rand, *scene, *User) map[string]any {
	fields := s.fields(node)
	return func(rng *rand.Rand, scene *scene, user *User) map[string]any {
		return fields(&drawing{rng: rng, scene: scene, user: user, rows: map[string][]string{}})
	}
}

// fields draws the values of a mapping, in its order.
func (s *spec) fields(node ast.Node) func(*drawing) map[string]any {
	names, values := []string{}, []value{}
	s.each(node, "variables", func(name string, _, v ast.Node) {
		names, values = append(names, name), append(values, s.value(v))
	})
	return func(d *drawing) map[string]any {
		drawn := make(map[string]any, len(names))
		for i, name := range names {
			drawn[name] = values[i](d)
		}
		return drawn
	}
}

func (s *spec) value(node ast.Node) value {
	switch n := node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		fields := s.fields(node)
		return func(d *drawing) any { return fields(d) }
	case *ast.SequenceNode:
		var list []value
		for _, item := range n.Values {
			list = append(list, s.value(item))
		}
		return func(d *drawing) any {
			drawn := make([]any, 0, len(list))
			for _, v := range list {
				drawn = append(drawn, v(d))
			}
			return drawn
		}
	case *ast.StringNode:
		return s.substituted(node, n.Value)
	case *ast.LiteralNode:
		return s.substituted(node, n.Value.Value)
	case *ast.NullNode:
		return func(*drawing) any { return nil }
	case ast.ScalarNode:
		fixed := n.GetValue()
		return func(*drawing) any { return fixed }
	}
	s.fail(node, "a variable cannot be %s", kindName(node))
	return nil
}

var substitution = regexp.MustCompile(`\$\{([^}]*)\}`)

// substituted compiles a text with ${...} in it.
func (s *spec) substituted(node ast.Node, text string) value {
	found := substitution.FindAllStringSubmatchIndex(text, -1)
	if len(found) == 0 {
		if strings.Contains(text, "${") {
			s.fail(node, "%q holds a ${ without its }", text)
		}
		return func(*drawing) any { return text }
	}
	if len(found) == 1 && found[0][0] == 0 && found[0][1] == len(text) {
		return s.source(node, text[found[0][2]:found[0][3]])
	}
	var parts []value
	from := 0
	for _, at := range found {
		before := text[from:at[0]]
		parts = append(parts, func(*drawing) any { return before }, s.source(node, text[at[2]:at[3]]))
		from = at[1]
	}
	rest := text[from:]
	return func(d *drawing) any {
		var b strings.Builder
		for _, part := range parts {
			fmt.Fprint(&b, part(d))
		}
		return b.String() + rest
	}
}

var (
	dayExpression    = regexp.MustCompile(`^day([+-]\d{1,5})?$`)
	randomExpression = regexp.MustCompile(`^random\((-?\d{1,15}), *(-?\d{1,15})\)$`)
	pickExpression   = regexp.MustCompile(`^pick\((.+)\)$`)
)

// simpleSources are the substitutions without arguments.
var simpleSources = map[string]value{
	"user.name":      func(d *drawing) any { return d.user.Name },
	"user.workspace": func(d *drawing) any { return d.user.Workspace },
	"user.role":      func(d *drawing) any { return d.user.Role },
	"user.project": func(d *drawing) any {
		if n := len(d.user.projects); n > 0 {
			return d.user.projects[d.rng.IntN(n)]
		}
		return nil
	},
	"uuid": func(d *drawing) any {
		id := uuid.UUID{}
		for i := range id {
			id[i] = byte(d.rng.Uint32())
		}
		id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // version 4, RFC 9562
		return id.String()
	},
}

// source compiles what stands between ${ and }.
func (s *spec) source(node ast.Node, name string) value {
	if simple := simpleSources[name]; simple != nil {
		return simple
	}
	if m := dayExpression.FindStringSubmatch(name); m != nil {
		days, _ := strconv.Atoi(m[1]) // empty counts as 0
		return func(d *drawing) any { return d.scene.last.AddDate(0, 0, days).Format(time.DateOnly) }
	}
	if m := randomExpression.FindStringSubmatch(name); m != nil {
		return s.random(node, m[1], m[2])
	}
	if m := pickExpression.FindStringSubmatch(name); m != nil {
		words := strings.Split(m[1], ",")
		return func(d *drawing) any { return strings.TrimSpace(words[d.rng.IntN(len(words))]) }
	}
	if file, column, found := strings.Cut(name, "."); found && s.data[file] != nil {
		return s.column(node, file, column)
	}
	known := []string{"day", "day-30", "random(1,100)", "pick(a,b)"}
	for simple := range simpleSources {
		known = append(known, simple)
	}
	for file, data := range s.data {
		for _, column := range data.columns {
			known = append(known, file+"."+column)
		}
	}
	s.fail(node, "unknown ${%s}%s", name, suggest(name, known))
	return nil
}

func (s *spec) random(node ast.Node, from, to string) value {
	least, _ := strconv.ParseInt(from, 10, 64) // both are digits
	most, _ := strconv.ParseInt(to, 10, 64)
	if least > most {
		s.fail(node, "random(%d,%d) has its bounds the wrong way round", least, most)
		return nil
	}
	return func(d *drawing) any { return least + d.rng.Int64N(most-least+1) }
}

// column draws from a data file: all columns of one call from the same row.
func (s *spec) column(node ast.Node, name, column string) value {
	data := s.data[name]
	at := slices.Index(data.columns, column)
	if at < 0 {
		s.fail(node, "the data %q have no column %q%s", name, column, suggest(column, data.columns))
		return nil
	}
	return func(d *drawing) any {
		if d.rows[name] == nil {
			d.rows[name] = data.rows[d.rng.IntN(len(data.rows))]
		}
		text := d.rows[name][at]
		if data.whole[at] {
			n, _ := strconv.ParseInt(text, 10, 64) // it is one
			return n
		}
		return text
	}
}
