// Command inorder rewrites what gqlgen has generated so that an object's fields
// are answered one after the other, each with as little around it as it needs.
// The types that it makes use of are in package graph, inorder.go.
//
// Nothing is gained from goroutines here: an operation has one connection, and
// loaders are told of a whole level before its first look-up. What is gained
// without them is most of the executor's time, which went into goroutines,
// closures and contexts for fields of a struct.
//
// It reads the forms that gqlgen's templates write today; where it does not find
// as much of each as there must be, it changes nothing and fails.
package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
)

const file = "generated.go"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "inorder:", err)
		os.Exit(1)
	}
}

func run() error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	out, err := rewrite(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w: gqlgen writes something else by now", file, err)
	}
	return os.WriteFile(file, []byte(out), 0o644)
}

func rewrite(text string) (string, error) {
	text, err := rewriteFields(text)
	if err != nil {
		return "", err
	}
	text = object.ReplaceAllStringFunc(text, rewriteObject)
	text = strings.ReplaceAll(text, "graphql.MarshalSliceConcurrently(ctx, len(v), 100, false, func(", "inOrder(ctx, len(v), func(")
	text = strings.ReplaceAll(text, "\tvar buf bytes.Buffer\n", "\tvar buf bytes.Buffer\n\t\t\tbuf.Grow(answerRoom)\n")
	text = arguments.ReplaceAllString(text, "ec.collected.args(ctx, ec, field, (*executionContext).$1)")
	text = strings.Replace(text, "type executionContext struct {\n", "type executionContext struct {\n\tcollected collections\n", 1)
	for form, times := range map[string]int{ // of the roots alone
		"graphql.NewFieldSet(": 2, "graphql.CollectFields(": 2, "ResolveConcurrently(": 0, "MarshalSliceConcurrently(": 0, "field.ArgumentMap(": 0,
		"buf.Grow(answerRoom)": 2,
	} {
		if n := strings.Count(text, form); n != times {
			return "", fmt.Errorf("%d times %s, not %d", n, form, times)
		}
	}
	if !strings.Contains(text, "\tcollected collections\n") {
		return "", errors.New("no executionContext")
	}
	return text, nil
}

// object is the function that answers an object. Those of the roots have no obj
// and stay as they are: their fields are statements.
var object = regexp.MustCompile(`(?s)\nfunc \(ec \*executionContext\) _\w+\(ctx context\.Context, sel ast\.SelectionSet, obj [^\n]*\) graphql\.Marshaler \{\n\tfields := .*?\n}\n`)

var (
	concurrent = regexp.MustCompile(`out\.ResolveConcurrently\(ec\.OperationContext, &deferred, i,\n\t+true, (true|false),\n\t+func\(ctx context\.Context\) graphql\.Marshaler \{\n\t+return ([^\n]*)\n\t+\}\)`)
	deferred   = regexp.MustCompile(`(?s)\n\tif n := len\(deferred\.Defers\); n > 0 \{.*?\n\t\}\n`)
)

// arguments are read by each field of each object.
var arguments = regexp.MustCompile(`ec\.(field_\w+_args)\(ctx, field\.ArgumentMap\(ec\.Variables\)\)`)

// Documents with @defer are refused before they are run.
func rewriteObject(text string) string {
	text = strings.Replace(text, "graphql.CollectFields(ec.OperationContext, ", "ec.collected.of(ec.OperationContext, ", 1)
	text = strings.Replace(text, "graphql.NewFieldSet(fields)\n\tdeferred := graphql.NewDeferredGroup(ctx)\n", "newObject(fields)\n", 1)
	text = strings.Replace(text, "range fields {", "range fields.list {", 1)
	text = strings.Replace(text, "\tout.Dispatch(ctx)\n", "", 1)
	text = strings.ReplaceAll(text, "atomic.AddUint32(&out.Invalids, 1)", "out.Invalids++")
	text = deferred.ReplaceAllString(text, "")
	return concurrent.ReplaceAllStringFunc(text, func(call string) string {
		parts := concurrent.FindStringSubmatch(call)
		null := map[string]string{"true": "Null", "false": "RequiredNull"}[parts[1]]
		return "out.Values[i] = " + parts[2] + "\n\t\t\tif out.Values[i] == graphql." + null + " {\n\t\t\t\tout.Invalids++\n\t\t\t}"
	})
}
