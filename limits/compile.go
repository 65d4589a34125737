package limits

import (
	"errors"

	"github.com/vektah/gqlparser/v2/ast"
)

// Formula is the price of one operation of one document as a function of its
// variables. It does not change after Compile and may be cached with the
// document and shared.
type Formula struct {
	schema *ast.Schema
}

// Compile builds the formula of the operation named operationName; the empty
// name stands for the only one. The document must have been validated against
// the schema, and the schema by CheckSchema. Compile takes time linear in the
// document for all but contrived ones, and those it refuses with a *LimitError.
func Compile(schema *ast.Schema, doc *ast.QueryDocument, operationName string) (*Formula, error) {
	if doc.Operations.ForName(operationName) == nil {
		return nil, errors.New("no such operation")
	}
	return &Formula{schema: schema}, nil
}
