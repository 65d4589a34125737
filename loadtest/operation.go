package loadtest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// A Class groups operations whose answers are promised alike.
type Class string

// The classes of the built-in scenarios, named as the server names them.
const (
	ClassInteractive Class = "interactive"
	ClassReport      Class = "report"
)

// Patience is how long the people of a class wait.
type Patience struct {
	Late    time.Duration // an answer after this is late: correct, but of no use
	Abandon time.Duration // after this an attempt is given up as a timeout
}

// patienceOf is the default of a class. It lies above the server's own
// deadlines (2 s, 15 s), so that what the server says at its deadline is still
// heard.
func patienceOf(class Class) Patience {
	if class == ClassReport {
		return Patience{Late: 15 * time.Second, Abandon: 18 * time.Second}
	}
	return Patience{Late: 2 * time.Second, Abandon: 4 * time.Second}
}

// An Operation is one GraphQL document and how its variables are drawn.
type Operation struct {
	Name     string // of the operation in the document
	Class    Class
	Document string
	Root     string // the field of data that a good answer holds, not null; empty: it holds all that is asked, null or not

	// Roles that may run it; none means everybody.
	Roles []string

	// Variables draws the values for one call; nil means there are none.
	Variables func(*rand.Rand, *scene, *User) map[string]any

	// Rejectable operations may be refused for their cost or shape.
	Rejectable bool
}

// Weighted is an operation with its share of a mix.
type Weighted struct {
	Operation *Operation
	Weight    int
}

// loaded is an operation ready to be sent: the part of the body that never
// changes, and who may send it.
type loaded struct {
	*Operation
	index uint16 // in the run's list of operations
	head  []byte
	whole []byte // the body, if there are no variables; read only
	users []*User
	asks  []string // fields that the data of its answers must hold, whatever their values
}

// load prepares an operation for the people given. It is an error if none of
// them may run it.
func load(op *Operation, index int, users []*User) (*loaded, error) {
	query, err := json.Marshal(op.Document)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", op.Name, err)
	}
	l := &loaded{Operation: op, index: uint16(index)}
	if op.Root == "" {
		l.asks = asksOf(op)
	}
	l.head = fmt.Appendf(nil, `{"operationName":%q,"query":%s,"variables":`, op.Name, query)
	if op.Variables == nil {
		l.whole = append(slices.Clone(l.head), "{}}"...)
	}
	for _, user := range users {
		if len(op.Roles) == 0 || user.Role == "" || slices.Contains(op.Roles, user.Role) {
			l.users = append(l.users, user)
		}
	}
	if len(l.users) == 0 {
		return nil, stopf(ExitUsage, "nobody may send %s: give a token of one of the roles %v", op.Name, op.Roles)
	}
	return l, nil
}

// asksOf lists the fields at the top of an operation; none where fragments or directives
// leave it open what they are.
func asksOf(op *Operation) []string {
	document, err := parser.ParseQuery(&ast.Source{Input: op.Document})
	if err != nil || document.Operations.ForName(op.Name) == nil {
		return nil // the server will say
	}
	var names []string
	for _, selection := range document.Operations.ForName(op.Name).SelectionSet {
		field, ok := selection.(*ast.Field)
		if !ok || len(field.Directives) > 0 {
			return nil
		}
		names = append(names, field.Alias)
	}
	return names
}

// body is the request's JSON for variables drawn by rng.
func (l *loaded) body(rng *rand.Rand, scene *scene, user *User) ([]byte, error) {
	if l.whole != nil {
		return l.whole, nil
	}
	variables, err := json.Marshal(l.Variables(rng, scene, user))
	if err != nil {
		return nil, fmt.Errorf("encode the variables of %s: %w", l.Name, err)
	}
	body := make([]byte, 0, len(l.head)+len(variables)+1)
	body = append(body, l.head...)
	body = append(body, variables...)
	return append(body, '}'), nil
}
