package server

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"
)

// Document is an operation as a file holds it.
type Document struct {
	File string
	Trusted
}

// ReadDocuments reads the operations of documents and of manifests (.json).
// Documents may use each other's fragments, as client compilers allow.
func ReadDocuments(files []string) ([]Document, error) {
	var out []Document
	known := ids{}
	sources := map[string]*ast.QueryDocument{}
	fragments := map[string]*ast.FragmentDefinition{}
	for _, file := range files {
		if filepath.Ext(file) == ".json" {
			continue
		}
		doc, err := readSource(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		sources[file] = doc
		for _, f := range doc.Fragments {
			fragments[f.Name] = f
		}
	}
	for _, file := range files {
		var found []Trusted
		var err error
		if doc := sources[file]; doc != nil {
			found = operationsOf(doc, fragments)
		} else if found, err = ReadManifest(file); err != nil {
			return nil, err
		}
		if out, err = known.add(out, file, found); err != nil {
			return nil, err
		}
	}
	if len(out) == 0 {
		return nil, errors.New("the files hold no operation")
	}
	return out, nil
}

func readSource(file string) (*ast.QueryDocument, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return parser.ParseQueryWithTokenLimit(&ast.Source{Name: file, Input: string(raw)}, maxTrustedTokens)
}

// operationsOf are a document's operations, each with the fragments that it
// spreads, wherever they stand.
func operationsOf(doc *ast.QueryDocument, fragments map[string]*ast.FragmentDefinition) []Trusted {
	var out []Trusted
	for _, op := range doc.Operations {
		own := &ast.QueryDocument{Operations: ast.OperationList{op}}
		addFragments(own, op.SelectionSet, fragments)
		var b strings.Builder
		formatter.NewFormatter(&b).FormatQueryDocument(own)
		out = append(out, Trusted{ID: hashOf(b.String()), Name: op.Name, Text: b.String()})
	}
	return out
}

// addFragments adds what is spread below a selection, each fragment once. One
// that no file holds stays away, and validation names it.
func addFragments(doc *ast.QueryDocument, set ast.SelectionSet, known map[string]*ast.FragmentDefinition) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			addFragments(doc, s.SelectionSet, known)
		case *ast.InlineFragment:
			addFragments(doc, s.SelectionSet, known)
		case *ast.FragmentSpread:
			if f := known[s.Name]; f != nil && doc.Fragments.ForName(s.Name) == nil {
				doc.Fragments = append(doc.Fragments, f)
				addFragments(doc, f.SelectionSet, known)
			}
		}
	}
}
