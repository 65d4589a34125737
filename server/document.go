package server

import (
	"container/list"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"headroom/limits"
)

const (
	maxTokens = 1000
	maxErrors = 10

	// maxTrustedTokens holds for documents that were known when a client was built.
	maxTrustedTokens = 4000

	cacheBytes  = 32 << 20
	keptPerByte = 90  // bytes a document and its formula hold for each byte of text: 76 to 85 measured
	entryBytes  = 512 // what an entry takes besides
)

// document is a validated document with one operation of it compiled.
type document struct {
	key     string
	label   string // its operation's name and the begin of its hash, for operators
	doc     *ast.QueryDocument
	op      *ast.OperationDefinition
	formula *limits.Formula
	access  access
	// inspects tells that it reads the schema by introspection, which costs the
	// server's own time.
	inspects bool
}

// access is who may run an operation.
type access int

const (
	members    access = iota // needs a token
	strangers                // __typename and claimInvite
	inspectors               // introspection, for strangers where it is on
)

// documents parse, check and keep documents. The cache is bounded by bytes and
// not by entries, since a parsed and priced document holds 80 times its text.
type documents struct {
	schema *ast.Schema
	guard  limits.Guard
	// foreign tells that the schema's custom scalars are not ours, and have any form.
	foreign bool
	cold    chan struct{} // documents seen for the first time pass one by one

	introspection introspection

	mu    sync.Mutex
	byKey map[string]*list.Element
	used  *list.List // of *document, most recently used first
	bytes int
}

func newDocuments(schema *ast.Schema) *documents {
	return &documents{
		schema: schema, guard: limits.DefaultGuard(), cold: make(chan struct{}, 1),
		byKey: map[string]*list.Element{}, used: list.New(),
	}
}

// timings of the front door, for Server-Timing and for what new documents are
// charged.
type timings struct {
	decode, parse, validate, coerce, price, queue time.Duration
}

// find returns the document of a request, from the cache or through parser,
// guard and validator.
func (d *documents) find(ctx context.Context, p params, t *timings) (*document, *fault) {
	key := documentKeyOf(p.operation, p.query)
	if doc := d.cached(key); doc != nil {
		return doc, nil
	}
	select {
	case d.cold <- struct{}{}:
		defer func() { <-d.cold }()
	case <-ctx.Done():
		return nil, refuse(codeDeadline, "the document waited too long to be parsed")
	}
	if doc := d.cached(key); doc != nil {
		return doc, nil
	}
	doc, f := d.load(ctx, p, t)
	if f == nil {
		doc.key = key
		d.keep(doc)
	}
	return doc, f
}

// documentKeyOf is under which a document is kept.
func documentKeyOf(operation, query string) string { return operation + "\x00" + query }

// text is what the document was parsed from.
func (doc *document) text() string {
	_, text, _ := strings.Cut(doc.key, "\x00")
	return text
}

// named tells whether a request for the operation of this name, or for the only
// one, means this document's.
func (doc *document) named(operation string) bool {
	return operation == "" || operation == doc.op.Name
}

// prepare keeps a document before it is asked for, under the name of its
// operation, which clients that send hashes send too.
func (d *documents) prepare(ctx context.Context, text string) *fault {
	doc, f := d.load(ctx, params{query: text}, &timings{})
	if f == nil {
		doc.key = documentKeyOf(doc.op.Name, text)
		d.keep(doc)
	}
	return f
}

func (d *documents) load(ctx context.Context, p params, t *timings) (*document, *fault) {
	began, tokens := time.Now(), maxTokens
	if p.trusted {
		tokens = maxTrustedTokens
	}
	parsed, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: p.query}, tokens)
	t.parse = time.Since(began)
	if err != nil {
		return nil, parseFault(err, tokens)
	}
	began = time.Now()
	defer func() { t.validate = time.Since(began) }()
	if over := d.guard.Check(parsed, p.operation); over != nil {
		return nil, limitFault(over)
	}
	if errs := validator.ValidateWithRules(d.schema, parsed, d.rules(ctx)); len(errs) > 0 {
		return nil, validationFault(errs)
	}
	op := parsed.Operations.ForName(p.operation)
	if op == nil {
		return nil, refuse(codeNoOperation, "the document has no such operation; where it has several, operationName must name one")
	}
	if op.Operation == ast.Subscription {
		return nil, refuse(codeNoOperation, "subscriptions are not served")
	}
	formula, err := limits.Compile(d.schema, parsed, op.Name)
	if err != nil {
		return nil, compileFault(err)
	}
	who, inspected := accessOf(rootFields(op.SelectionSet, parsed))
	if inspected > maxIntrospection {
		return nil, limitFault(&limits.LimitError{Limit: "introspection", Max: maxIntrospection, Actual: inspected})
	}
	return &document{label: labelOf(op.Name, p.query), doc: parsed, op: op, formula: formula, access: who, inspects: inspected > 0}, nil
}

// validationRules are the specification's, with a bounded overlap rule and one
// for the form of custom scalars.
func validationRules(ctx context.Context) *rules.Rules {
	r := rules.NewDefaultRules()
	r.RemoveRule(overlapRule)
	r.AddRule(overlapRule, mergeable)
	r.AddRule(scalarRule, scalarLiterals(ctx))
	return r
}

func (d *documents) rules(ctx context.Context) *rules.Rules {
	r := validationRules(ctx)
	if d.foreign {
		r.RemoveRule(scalarRule)
	}
	return r
}

func (d *documents) cached(key string) *document {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, ok := d.byKey[key]
	if !ok {
		return nil
	}
	d.used.MoveToFront(e)
	return e.Value.(*document)
}

func (d *documents) keep(doc *document) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.byKey[doc.key] = d.used.PushFront(doc)
	d.bytes += doc.size()
	for d.bytes > cacheBytes {
		last := d.used.Back()
		old := d.used.Remove(last).(*document)
		delete(d.byKey, old.key)
		d.bytes -= old.size()
	}
}

func (doc *document) size() int { return len(doc.key)*keptPerByte + entryBytes }

// held is how much the cache holds.
func (d *documents) held() (entries, bytes int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.byKey), d.bytes
}

// rootFields are the names of an operation's root fields in their order, with
// repeats, fragments included. The guard has bounded how often one is spread.
func rootFields(set ast.SelectionSet, doc *ast.QueryDocument) (names []string) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			names = append(names, s.Name)
		case *ast.InlineFragment:
			names = append(names, rootFields(s.SelectionSet, doc)...)
		case *ast.FragmentSpread:
			names = append(names, rootFields(doc.Fragments.ForName(s.Name).SelectionSet, doc)...)
		}
	}
	return names
}

// accessOf tells who may run an operation of these root fields, and how many of
// them read the schema.
func accessOf(fields []string) (who access, inspected int) {
	who = strangers
	for _, name := range fields {
		switch name {
		case "__typename", "claimInvite":
		case "__schema", "__type":
			inspected++
			if who == strangers {
				who = inspectors
			}
		default:
			who = members
		}
	}
	return who, inspected
}

func parseFault(err error, tokens int) *fault {
	f := refuse(codeParseFailed, "the document cannot be parsed")
	if e, ok := err.(*gqlerror.Error); ok {
		if strings.HasPrefix(e.Message, "exceeded token limit") {
			return limitFault(&limits.LimitError{Limit: "tokens", Max: tokens, Actual: tokens + 1})
		}
		f.errors = gqlerror.List{e}
	}
	return f
}

func limitFault(over *limits.LimitError) *fault {
	return refuse(codeDocumentLimit, over.Error()).with("limit", over.Limit).with("max", over.Max).with("actual", over.Actual)
}

func validationFault(errs gqlerror.List) *fault {
	f := refuse(codeValidationFailed, "the document is not valid")
	if slices.ContainsFunc(errs, func(e *gqlerror.Error) bool { return e.Rule == cycleRule }) {
		errs = slices.DeleteFunc(errs, func(e *gqlerror.Error) bool { return e.Rule == overlapRule }) // a cycle has no end of comparisons
	}
	if errs[0].Rule == scalarRule {
		f.code = codeBadUserInput
	}
	f.errors = errs[:min(len(errs), maxErrors)]
	return f
}

func compileFault(err error) *fault {
	var over *limits.LimitError
	if errors.As(err, &over) {
		return limitFault(over)
	}
	return refuse(codeValidationFailed, "the document cannot be priced")
}

// labels are those of the documents in the cache.
func (d *documents) labels() (out []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for e := d.used.Front(); e != nil; e = e.Next() {
		out = append(out, e.Value.(*document).label)
	}
	return out
}
