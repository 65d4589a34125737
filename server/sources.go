package server

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
)

// Document is an operation as a file holds it.
type Document struct {
	File string
	Line int // 0 in a manifest
	Trusted
}

// maxSourceTokens bounds the work for one file of documents. Each operation is held
// to the limits of documents apart.
const maxSourceTokens = 1_000_000

// sources are what the files of a client hold besides manifests. Clients' compilers
// tell operations by their names over all files.
type sources struct {
	files      map[string]*ast.QueryDocument
	operations map[string]*ast.OperationDefinition
	fragments  map[string]ast.FragmentDefinitionList
	errs       []error
}

// ReadDocuments reads the operations of documents and of manifests (.json), in the
// order of the files. Documents may use each other's fragments, as client compilers
// allow. Each error says what is wrong with a file, and where; what is right in others is
// read all the same.
func ReadDocuments(files []string) (out []Document, errs []error) {
	s := sources{files: map[string]*ast.QueryDocument{}, operations: map[string]*ast.OperationDefinition{}, fragments: map[string]ast.FragmentDefinitionList{}}
	for _, file := range files {
		if filepath.Ext(file) != ".json" {
			s.read(file)
		}
	}
	known := ids{}
	for _, file := range files {
		found := s.documents(file)
		var err error
		if filepath.Ext(file) == ".json" {
			found, err = readManifestDocuments(file)
		}
		if err == nil {
			out, err = known.add(out, found)
		}
		if err != nil {
			s.errs = append(s.errs, err)
		}
	}
	return out, s.errs
}

// readManifestDocuments reads a manifest, which has to hold something.
func readManifestDocuments(file string) ([]Document, error) {
	found, err := ReadManifest(file)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("%s holds no operation", file)
	}
	return in(file, found), err
}

// read parses a file and registers what it holds.
func (s *sources) read(file string) {
	raw, err := ReadText(file)
	var doc *ast.QueryDocument
	if err == nil {
		doc, err = parser.ParseQueryWithTokenLimit(&ast.Source{Name: file, Input: string(raw)}, maxSourceTokens)
	}
	if err == nil && len(doc.Operations)+len(doc.Fragments) == 0 {
		err = fmt.Errorf("%s holds neither an operation nor a fragment", file)
	}
	if err != nil {
		s.errs = append(s.errs, hinted(err))
		return
	}
	s.files[file] = doc
	doc.Operations = slices.DeleteFunc(doc.Operations, func(op *ast.OperationDefinition) bool { return s.takes(doc, op) != nil })
	for _, f := range doc.Fragments {
		if at := slices.IndexFunc(s.fragments[f.Name], func(o *ast.FragmentDefinition) bool { return o.Position.Src == f.Position.Src }); at >= 0 {
			s.errs = append(s.errs, fmt.Errorf("two fragments are called %s: at %s and at %s", f.Name, placeOf(s.fragments[f.Name][at].Position), placeOf(f.Position)))
			continue
		}
		s.fragments[f.Name] = append(s.fragments[f.Name], f)
	}
}

// takes registers an operation, unless there is one of its name. One without a name
// is known by its file.
func (s *sources) takes(doc *ast.QueryDocument, op *ast.OperationDefinition) (err error) {
	other, ok := s.operations[op.Name]
	switch {
	case op.Name == "" && len(doc.Operations) > 1:
		err = fmt.Errorf("%s: an operation without a name has to be the only one of its file", placeOf(op.Position))
	case op.Name != "" && ok:
		err = fmt.Errorf("two operations are called %s: at %s and at %s; clients and --vars tell them by their names", op.Name, placeOf(other.Position), placeOf(op.Position))
	default:
		s.operations[op.Name] = op
	}
	if err != nil {
		s.errs = append(s.errs, err)
	}
	return err
}

func placeOf(at *ast.Position) string { return fmt.Sprintf("%s:%d", at.Src.Name, at.Line) }

// hinted adds to a syntax error, which names its file, what the file may be.
func hinted(err error) error {
	var e *gqlerror.Error
	if !errors.As(err, &e) {
		return err
	}
	if word, ok := strings.CutPrefix(e.Message, "Unexpected Name "); ok && slices.Contains(typeWords, word) {
		return fmt.Errorf("%w; this is a schema, which --schema takes", err)
	}
	return err
}

// typeWords begin the definitions of a schema.
var typeWords = []string{`"type"`, `"schema"`, `"scalar"`, `"enum"`, `"input"`, `"interface"`, `"union"`, `"directive"`, `"extend"`}

// documents are a file's operations, each with the fragments that it spreads,
// wherever they stand.
func (s *sources) documents(file string) (out []Document) {
	doc := s.files[file]
	if doc == nil {
		return nil
	}
	for _, op := range doc.Operations {
		own := &ast.QueryDocument{Operations: ast.OperationList{op}}
		if err := s.addFragments(own, op.SelectionSet); err != nil {
			s.errs = append(s.errs, fmt.Errorf("%s (%s): %w", cmp.Or(op.Name, "the operation"), placeOf(op.Position), err))
			continue
		}
		var b strings.Builder
		formatter.NewFormatter(&b).FormatQueryDocument(own)
		out = append(out, Document{File: file, Line: op.Position.Line, Trusted: Trusted{ID: hashOf(b.String()), Name: op.Name, Text: b.String(), Untold: true}})
	}
	return out
}

// addFragments adds what is spread below a selection, each fragment once. One
// that no file holds stays away, and validation names it.
func (s *sources) addFragments(doc *ast.QueryDocument, set ast.SelectionSet) error {
	for _, selection := range set {
		var below ast.SelectionSet
		switch n := selection.(type) {
		case *ast.Field:
			below = n.SelectionSet
		case *ast.InlineFragment:
			below = n.SelectionSet
		case *ast.FragmentSpread:
			f, err := s.fragment(n)
			if err != nil {
				return err
			}
			if f == nil || doc.Fragments.ForName(n.Name) != nil {
				continue
			}
			doc.Fragments = append(doc.Fragments, f)
			below = f.SelectionSet
		}
		if err := s.addFragments(doc, below); err != nil {
			return err
		}
	}
	return nil
}

// fragment is the one that a spread means: that of its file, or the only one; nil
// if there is none.
func (s *sources) fragment(spread *ast.FragmentSpread) (*ast.FragmentDefinition, error) {
	found := s.fragments[spread.Name]
	for _, f := range found {
		if f.Position.Src == spread.Position.Src {
			return f, nil
		}
	}
	switch len(found) {
	case 0:
		return nil, nil
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("two fragments are called %s: at %s and at %s", spread.Name, placeOf(found[0].Position), placeOf(found[1].Position))
}
