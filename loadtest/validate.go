package loadtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// Validate checks a scenario against the schema of the server that runs at the
// target, and says on w what it would send. An error says what is wrong; it is
// a *Stop.
func Validate(ctx context.Context, c Config, w io.Writer) error {
	target, err := c.addresses()
	if err != nil {
		return err
	}
	spec, err := c.check()
	if err != nil {
		return err
	}
	users, err := c.users()
	if err != nil {
		return err
	}
	client := newClient(target, leastInFlight, c.Own)
	defer client.close()
	schema, err := client.schema(ctx)
	if err != nil {
		return stopf(ExitUnreachable, "no schema to check against: %w", err)
	}
	scene, err := client.scout(ctx, users)
	if err != nil {
		return err
	}
	if err := spec.fits(schema, &deck{scene: scene}); err != nil {
		return &Stop{ExitUsage, err}
	}
	if err := spec.planned(c); err != nil {
		return err
	}
	return spec.describe(w)
}

// planned makes sure that the shapes fit their phases, and all of it what surge may
// send; of rates that follow from what a server can do, as if that were little.
func (s *spec) planned(c Config) error {
	little := Capacity{PerSecond: 1}
	scenario, _, err := s.scenario(c, &Calibration{Reports: little, Interactive: little})
	if err != nil {
		return err
	}
	if _, err := newPlan(scenario.Phases, c.Seed); err != nil {
		return &Stop{ExitUsage, err}
	}
	return nil
}

// schema fetches the schema that the server shows beside its endpoint.
func (c *client) schema(ctx context.Context) (*ast.Schema, error) {
	schema, _, err := c.schemaText(ctx)
	return schema, err
}

// schemaText is the schema with its text.
func (c *client) schemaText(ctx context.Context) (*ast.Schema, []byte, error) {
	page := *c.target
	page.Path, page.RawQuery = "/schema.graphql", ""
	status, text, err := c.get(ctx, page.String())
	if err != nil {
		return nil, nil, err
	}
	if status != http.StatusOK {
		return nil, nil, fmt.Errorf("%s answers %d", page.String(), status)
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: page.String(), Input: string(text)})
	if err != nil {
		return nil, nil, fmt.Errorf("read the schema: %w", err)
	}
	return schema, text, nil
}

// drawnToCheck is how many sets of variables of each operation are checked.
const drawnToCheck = 20

// fits checks every operation that the scenario sends, and variables as they
// are drawn, against a schema.
func (s *spec) fits(schema *ast.Schema, d *deck) error {
	for _, op := range s.sent() {
		if err := d.fits(schema, op); err != nil {
			if at := s.places[op]; at != nil {
				p := at.GetToken().Position
				return fmt.Errorf("%s:%d:%d: %w", s.file, p.Line, p.Column, err)
			}
			return err
		}
	}
	return nil
}

// fits checks one operation.
func (d *deck) fits(schema *ast.Schema, op *Operation) error {
	document, err := gqlparser.LoadQueryWithRules(schema, op.Document, rules.NewDefaultRules())
	if err != nil {
		return fmt.Errorf("operation %s does not fit the schema: %s", op.Name, inOneLine(err))
	}
	operation := document.Operations.ForName(op.Name)
	if operation == nil {
		return fmt.Errorf("the document of operation %s holds no operation of that name", op.Name)
	}
	if op.Root != "" && !holds(operation, op.Root) {
		return fmt.Errorf("operation %s expects %s in its answer, which its document does not ask", op.Name, op.Root)
	}
	return d.fitting(schema, operation, op)
}

// fitting draws variables of an operation and checks their types.
func (d *deck) fitting(schema *ast.Schema, operation *ast.OperationDefinition, op *Operation) error {
	m, err := d.mix([]Weighted{{op, 1}})
	if err != nil {
		return err
	}
	for seq := range uint64(drawnToCheck) {
		c, err := d.draw(m, 1, seq)
		if err != nil {
			return err
		}
		var body struct{ Variables map[string]any }
		if err := json.Unmarshal(c.body, &body); err != nil {
			return fmt.Errorf("variables of %s: %w", op.Name, err)
		}
		if _, err := validator.VariableValues(schema, operation, body.Variables); err != nil {
			return fmt.Errorf("the variables of operation %s do not fit: %s", op.Name, inOneLine(err))
		}
	}
	return nil
}

// inOneLine is an error of gqlparser without the name of its source.
func inOneLine(err error) string {
	var list gqlerror.List
	var one *gqlerror.Error
	switch {
	case errors.As(err, &list) && len(list) > 0:
		one = list[0]
	case !errors.As(err, &one):
		return err.Error()
	}
	if len(one.Locations) > 0 {
		return fmt.Sprintf("line %d, column %d of its document: %s", one.Locations[0].Line, one.Locations[0].Column, one.Message)
	}
	return one.Message
}

// holds tells whether the answer to an operation has a field at its top.
func holds(operation *ast.OperationDefinition, name string) bool {
	return slices.ContainsFunc(operation.SelectionSet, func(s ast.Selection) bool {
		field, ok := s.(*ast.Field)
		return !ok || field.Alias == name // a fragment may hold it
	})
}

// sent lists the operations of all phases, each once.
func (s *spec) sent() (list []*Operation) {
	add := func(op *Operation) {
		if !slices.Contains(list, op) {
			list = append(list, op)
		}
	}
	for _, p := range s.phases {
		for _, st := range p.streams {
			for _, w := range st.mix {
				add(w.Operation)
			}
			for _, op := range st.each {
				add(op)
			}
		}
	}
	return list
}

// describe tells what a scenario sends and promises.
func (s *spec) describe(w io.Writer) error {
	var text strings.Builder
	text.WriteString(fmt.Sprintf("%s: %s\n", s.name, s.about))
	for _, p := range s.phases {
		text.WriteString(fmt.Sprintf("  %-10s %8v  judges %s\n", p.name, p.length, p.judge))
	}
	for _, class := range s.order {
		for _, o := range s.classes[class].objectives {
			text.WriteString(fmt.Sprintf("  %s %s %s\n", class, o.Name, o.Limit))
		}
	}
	_, err := io.WriteString(w, text.String()+fmt.Sprintf("ok: %d operations fit the schema\n", len(s.sent())))
	return err
}
