package server

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of a request.
const (
	maxBody      = 256 << 10
	maxQuery     = 16 << 10
	maxVariables = 192 << 10
	maxNesting   = 32
	maxValues    = 5000    // of objects and lists together: coercion costs 0.5 us each
	usualBody    = 4 << 10 // for which there is memory before it comes
	maxDrain     = 1 << 20 // of a body that is too large, so that its sender can read the refusal
)

// params are a GraphQL request as it came.
type params struct {
	query      string
	operation  string
	variables  map[string]any
	extensions map[string]any
	documentID string
	id         string // of a document that is known by it, "" for none
	persisted  bool   // the id came as the SHA-256 of a persisted query
	trusted    bool   // known when the client was built
}

// maxDocumentID bounds the id of a document.
const maxDocumentID = 200

// readID reads the id of a document, as Apollo's clients send it in extensions
// and others as documentId.
func (p *params) readID() *fault {
	switch own := p.extensions["persistedQuery"].(type) {
	case nil:
	case map[string]any:
		if version := own["version"]; version != nil && version != json.Number("1") {
			return refuse(codeBadRequest, "extensions.persistedQuery.version is 1, a number, or left out: no other is known")
		}
		if p.id, p.persisted = own["sha256Hash"].(string); p.id == "" {
			return refuse(codeBadRequest, "extensions.persistedQuery needs sha256Hash, the SHA-256 of the query as a text")
		}
	default:
		return wrongType("extensions.persistedQuery")
	}
	p.id = cmp.Or(p.id, p.documentID)
	if len(p.id) > maxDocumentID {
		p.id = "too long" // known to nobody
	}
	return nil
}

// decode reads the request's parameters from its URL or its body.
// The time it takes is measured without the wait for the sender.
func decode(r *http.Request, t *timings) (params, *fault) {
	if r.Method == http.MethodGet {
		return decodeURL(r.URL.Query())
	}
	body, f := readBody(r)
	if f != nil {
		return params{}, f
	}
	began := time.Now()
	defer func() { t.decode = time.Since(began) }()
	return decodeBody(body)
}

func checkContentType(r *http.Request) *fault {
	if r.Method == http.MethodGet {
		return nil
	}
	sent := r.Header.Get("Content-Type")
	if sent == mediaJSON {
		return nil
	}
	media, args, err := mime.ParseMediaType(sent)
	if err != nil || media != mediaJSON {
		return refuse(codeMediaType, "send the request as application/json")
	}
	if charset := args["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return refuse(codeMediaType, "send the request in UTF-8")
	}
	return nil
}

func readBody(r *http.Request) ([]byte, *fault) {
	var body bytes.Buffer
	body.Grow(int(min(max(0, r.ContentLength), usualBody)) + bytes.MinRead)
	if _, err := body.ReadFrom(io.LimitReader(r.Body, maxBody+1)); err != nil {
		return nil, refuse(codeBadRequest, "the body ended before it was complete")
	}
	if body.Len() <= maxBody {
		return body.Bytes(), nil
	}
	if _, err := io.CopyN(io.Discard, r.Body, maxDrain); err != nil && !errors.Is(err, io.EOF) {
		return nil, refuse(codeBadRequest, "the body ended before it was complete")
	}
	return nil, refuse(codeTooLarge, "a request has at most 256 KiB").with("limit", maxBody)
}

// wire is the body's form.
type wire struct {
	Query      string         `json:"query"`
	Operation  string         `json:"operationName"`
	Variables  map[string]any `json:"variables"`
	Extensions map[string]any `json:"extensions"`
	DocumentID string         `json:"documentId"`
}

func decodeBody(body []byte) (p params, f *fault) {
	if !utf8.Valid(body) {
		return p, refuse(codeBadRequest, "the body is not valid UTF-8")
	}
	if f := checkShape(body); f != nil {
		return p, f
	}
	if first := bytes.TrimLeft(body, " \t\r\n"); len(first) > 0 && first[0] == '[' {
		return p, refuse(codeBadRequest, "batches are not supported: send one operation a request")
	}
	var w wire
	var wrong *json.UnmarshalTypeError
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	switch err := d.Decode(&w); {
	case errors.As(err, &wrong) && wrong.Field != "":
		return p, wrongType(wrong.Field)
	case err != nil:
		return p, refuse(codeBadRequest, "the body is no JSON object")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return p, refuse(codeBadRequest, "the body is more than one JSON object")
	}
	if len(body) > maxVariables {
		var own struct{ Variables json.RawMessage }
		if err := json.Unmarshal(body, &own); err != nil || len(own.Variables) > maxVariables {
			return p, refuse(codeTooLarge, "variables have at most 192 KiB").with("limit", maxVariables)
		}
	}
	return w.params()
}

func wrongType(field string) *fault { return refuse(codeBadRequest, field+" has the wrong type") }

func decodeURL(q url.Values) (p params, f *fault) {
	w := wire{Query: q.Get("query"), Operation: q.Get("operationName"), DocumentID: q.Get("documentId")}
	for _, name := range []string{"query", "operationName", "documentId", "variables", "extensions"} {
		if !utf8.ValidString(q.Get(name)) {
			return p, refuse(codeBadRequest, name+" is not valid UTF-8")
		}
	}
	for name, object := range map[string]*map[string]any{"variables": &w.Variables, "extensions": &w.Extensions} {
		raw := []byte(q.Get(name))
		if f := checkShape(raw); f != nil {
			return p, f
		}
		if *object, f = decodeObject(name, raw); f != nil {
			return p, f
		}
	}
	return w.params()
}

func (w wire) params() (params, *fault) {
	p := params{query: w.Query, operation: w.Operation, documentID: w.DocumentID, variables: w.Variables, extensions: w.Extensions}
	if f := p.readID(); f != nil {
		return p, f
	}
	if p.query == "" && p.id == "" {
		return p, refuse(codeBadRequest, "the request has no query")
	}
	if len(p.query) > maxQuery {
		return p, refuse(codeTooLarge, "a query has at most 16 KiB").with("limit", maxQuery)
	}
	return p, nil
}

// decodeObject reads a JSON object or null, and numbers as they are written.
func decodeObject(name string, raw json.RawMessage) (object map[string]any, f *fault) {
	if len(raw) == 0 {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&object); err != nil || d.More() {
		return nil, wrongType(name)
	}
	return object, nil
}

// checkShape counts brackets and values outside of strings; it runs before the
// decoder, whose recursion a hostile body would use.
func checkShape(body []byte) *fault {
	depth, values, inString := 0, 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		case c == ',':
			values++
		}
		if depth > maxNesting {
			return refuse(codeBadRequest, "the request is nested more than 32 levels deep").with("limit", maxNesting)
		}
		if values > maxValues {
			return refuse(codeTooLarge, "the request holds more than 5,000 values").with("limit", maxValues)
		}
	}
	return nil
}
