package loadtest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// everything is each operation of the catalog, and what is asked before a run.
func everything() []*Operation {
	return []*Operation{
		myDay, running, page, projects, start, stop, create, monthReport, yearsReport,
		{Name: "typename", Document: typenameQuery},
		{Name: "viewer", Document: viewerQuery},
		{Name: "scout", Document: scoutQuery},
	}
}

// A scenario that the schema has outgrown must fail here, not in a release.
func TestDocumentsFitTheSchema(t *testing.T) {
	files, err := filepath.Glob("../graph/schema/*.graphql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no schema: %v", err)
	}
	var sources []*ast.Source
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, &ast.Source{Name: file, Input: string(text)})
	}
	schema, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		t.Fatal(err)
	}
	d := testDeck()
	for _, op := range everything() {
		t.Run(op.Name, func(t *testing.T) {
			document, err := gqlparser.LoadQueryWithRules(schema, op.Document, rules.NewDefaultRules())
			if err != nil {
				t.Fatal(err)
			}
			operation := document.Operations[0]
			if op.Root != "" && operation.SelectionSet[0].(*ast.Field).Alias != op.Root {
				t.Errorf("a good answer is looked for in %s, which the document does not ask", op.Root)
			}
			if op.Variables == nil {
				return
			}
			for seq := range uint64(20) {
				m, err := d.mix([]Weighted{{op, 1}})
				if err != nil {
					t.Fatal(err)
				}
				c, err := d.draw(m, 1, seq)
				if err != nil {
					t.Fatal(err)
				}
				var body struct{ Variables map[string]any }
				if err := json.Unmarshal(c.body, &body); err != nil {
					t.Fatal(err)
				}
				if _, err := validator.VariableValues(schema, operation, body.Variables); err != nil {
					t.Errorf("variables of arrival %d: %v", seq, err)
				}
			}
		})
	}
}
