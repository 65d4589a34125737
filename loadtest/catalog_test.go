package loadtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// productSchema is the schema that the product serves.
func productSchema(t *testing.T) *ast.Schema {
	t.Helper()
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
	return schema
}

// A scenario that the schema has outgrown must fail here, not in a release.
func TestDocumentsFitTheSchema(t *testing.T) {
	schema := productSchema(t)
	checked := &spec{phases: []*phaseSpec{{}}}
	for _, op := range catalog {
		checked.phases[0].streams = append(checked.phases[0].streams, &streamSpec{mix: []Weighted{{op, 1}}})
	}
	if err := checked.fits(schema, testDeck()); err != nil {
		t.Error(err)
	}
	for _, document := range []string{typenameQuery, viewerQuery, scoutQuery, introspectionQuery} {
		if _, err := gqlparser.LoadQueryWithRules(schema, document, rules.NewDefaultRules()); err != nil {
			t.Errorf("%s: %v", document, err)
		}
	}
	for _, name := range BuiltIn() {
		spec, err := loadSpec(name)
		if err == nil {
			err = spec.fits(schema, testDeck())
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
