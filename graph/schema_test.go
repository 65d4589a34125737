package graph_test

import (
	"bytes"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	gql "github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"

	"headroom/graph"
	"headroom/limits"
)

var update = flag.Bool("update", false, "write schema.golden.graphql anew")

func schema() *gql.Schema {
	return graph.NewExecutableSchema(graph.Config{}).Schema()
}

// The golden file shows what a change of the SDL changes for clients.
func TestSchemaIsGolden(t *testing.T) {
	var got bytes.Buffer
	formatter.NewFormatter(&got, formatter.WithIndent("  ")).FormatSchema(schema())
	const golden = "schema.golden.graphql"
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(graph.SDL(), got.String()); diff != "" {
		t.Errorf("the schema differs from %s; if that is meant, run go test ./graph -update (-golden +schema):\n%s", golden, diff)
	}
}

func TestEveryPriceIsSound(t *testing.T) {
	if err := limits.CheckSchema(schema()); err != nil {
		t.Error(err)
	}
}

// Only the inputs of mutations are generated: any other type in models_gen.go
// is one that gqlgen.yml forgot to bind.
func TestOnlyMutationInputsAreGenerated(t *testing.T) {
	var want []string
	for _, f := range schema().Mutation.Fields {
		want = append(want, f.Arguments.ForName("input").Type.Name())
	}
	var got []string
	for _, decl := range parse(t, "models_gen.go").Decls {
		if d, ok := decl.(*ast.GenDecl); ok && d.Tok == token.TYPE {
			got = append(got, d.Specs[0].(*ast.TypeSpec).Name.Name)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("generated types (-inputs of mutations +models_gen.go):\n%s", diff)
	}
}

// Every mutation has an input and a payload of its own, so that either can
// grow without touching another.
func TestMutationsHaveTheirOwnInputAndPayload(t *testing.T) {
	for _, f := range schema().Mutation.Fields {
		name := strings.ToUpper(f.Name[:1]) + f.Name[1:]
		input, payload := schema().Types[name+"Input"], schema().Types[name+"Payload"]
		if input == nil || len(f.Arguments) != 1 || f.Arguments[0].Type.String() != name+"Input!" {
			t.Errorf("%s: want one argument input: %sInput!", f.Name, name)
			continue
		}
		if input.Fields.ForName("idempotencyKey") == nil {
			t.Errorf("%s has no idempotencyKey", input.Name)
		}
		if payload == nil || f.Type.String() != name+"Payload!" {
			t.Errorf("%s: want the type %sPayload!, got %s", f.Name, name, f.Type)
			continue
		}
		for _, list := range []string{"userErrors", "warnings"} {
			if field := payload.Fields.ForName(list); field == nil || field.Type.String() != "[UserError!]!" {
				t.Errorf("%s.%s is not [UserError!]!", payload.Name, list)
			}
		}
	}
}

// enums are the schema's and the types of timesheet they are bound to.
// Weekday is bound to time.Weekday, ServiceClass is a word of the SDL only.
var enums = map[string]string{
	"UserErrorCode": "Code", "ListOrder": "ListOrder", "Role": "Role", "OverlapPolicy": "OverlapPolicy",
	"TokenScope": "Scope", "IfRunning": "IfRunning", "GroupKey": "GroupKey", "ReportSort": "ReportSort",
	"ReportSource": "ReportSource", "ExportFormat": "ExportFormat", "ExportStatus": "ExportStatus", "ExportFailure": "ExportFailure",
	"RoundingMode": "RoundingMode", "RoundingScope": "RoundingScope", "DayAttribution": "DayAttribution", "AmountBasis": "AmountBasis",
	"RateKind": "RateKind", "RateScope": "RateScope", "RateApply": "RateApply", "BudgetPeriod": "BudgetPeriod",
}

func TestEnumsEqualTheDomain(t *testing.T) {
	constants := domainConstants(t)
	for _, def := range schema().Types {
		if def.Kind != gql.Enum || def.BuiltIn || def.Name == "Weekday" || def.Name == "ServiceClass" {
			continue
		}
		var got []string
		for _, value := range def.EnumValues {
			got = append(got, value.Name)
		}
		want := constants[enums[def.Name]]
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("enum %s (-timesheet.%s +schema):\n%s", def.Name, enums[def.Name], diff)
		}
	}
}

// domainConstants are the string constants of package timesheet by type.
func domainConstants(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("../timesheet/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no files of timesheet:", err)
	}
	found := map[string][]string{}
	for _, file := range files {
		ast.Inspect(parse(t, file), func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			typ, named := spec.Type.(*ast.Ident)
			text, literal := spec.Values[0].(*ast.BasicLit)
			if named && literal && text.Kind == token.STRING {
				value, _ := strconv.Unquote(text.Value)
				found[typ.Name] = append(found[typ.Name], value)
			}
			return true
		})
	}
	return found
}

func parse(t *testing.T, file string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
