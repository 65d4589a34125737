package server

import (
	"cmp"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
)

// Trusted is a document of a manifest: one that was known when a client was
// built.
type Trusted struct {
	ID   string // what the client sends for it
	Name string // of its operation, "" for none
	Text string // as the client printed it; its hash is the id
	// Untold tells that no manifest holds it: it is sent as text, within the limits
	// of documents that nobody knew.
	Untold bool
}

// ReadManifest reads the documents of a manifest of Apollo (persisted query
// manifest), of Relay or of graphql-codegen (an object of id and text), sorted by
// name and id. An id that is a hash has to be that of its text: an error names
// the operation whose is not.
func ReadManifest(path string) ([]Trusted, error) {
	raw, err := ReadText(path)
	if err != nil {
		return nil, err
	}
	return parseManifest(path, raw)
}

// ReadManifests reads several. One id cannot stand for two texts: an error names both
// places.
func ReadManifests(paths []string) (out []Document, err error) {
	known := ids{}
	for _, path := range paths {
		found, err := ReadManifest(path)
		if err != nil {
			return nil, err
		}
		if out, err = known.add(out, in(path, found)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ids are the documents of several files by what clients send for them.
type ids map[string]Document

// add appends the documents of a file, unless one's id stands for another text.
func (k ids) add(out, found []Document) ([]Document, error) {
	for _, d := range found {
		id := bareHash(d.ID)
		if other, ok := k[id]; ok && other.Text != d.Text {
			return out, fmt.Errorf("the id %s stands for %s in %s and for another text, %s, in %s: one of the manifests is of another build", d.ID, other.Title(), other.File, d.Title(), d.File)
		}
		k[id] = d
		out = append(out, d)
	}
	return out, nil
}

// in are the documents of a manifest.
func in(path string, found []Trusted) (out []Document) {
	for _, t := range found {
		out = append(out, Document{File: path, Trusted: t})
	}
	return out
}

// saidAt is a parser's error without the name that it gives a text without one.
func saidAt(err error) string {
	var e *gqlerror.Error
	if !errors.As(err, &e) || len(e.Locations) == 0 {
		return err.Error()
	}
	return fmt.Sprintf("%s, in its line %d, column %d", e.Message, e.Locations[0].Line, e.Locations[0].Column)
}

// Title is the name of a document's operation, or that it has none.
func (t Trusted) Title() string { return cmp.Or(t.Name, "an operation without a name") }

// apolloFormat is what a manifest of Apollo calls itself.
const apolloFormat = "apollo-persisted-query-manifest"

func parseManifest(path string, raw []byte) ([]Trusted, error) {
	var head map[string]json.RawMessage
	if err := ReadJSON(path, raw, &head); err != nil {
		return nil, err
	}
	var found []Trusted
	var err error
	if _, ok := head["operations"]; ok {
		found, err = apolloManifest(path, raw)
	} else {
		found, err = plainManifest(path, head)
	}
	if err != nil {
		return nil, err
	}
	for i := range found {
		if err := found[i].check(); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	slices.SortFunc(found, func(a, b Trusted) int { return strings.Compare(a.Name+"\x00"+a.ID, b.Name+"\x00"+b.ID) })
	return found, nil
}

func apolloManifest(path string, raw []byte) ([]Trusted, error) {
	var m struct {
		Format     string
		Version    int
		Operations []struct{ ID, Name, Body string }
	}
	if err := ReadJSON(path, raw, &m); err != nil {
		return nil, err
	}
	if m.Format != apolloFormat || m.Version != 1 {
		return nil, fmt.Errorf("%s: the manifest is of the format %q, version %d; known is %s, version 1", path, m.Format, m.Version, apolloFormat)
	}
	var found []Trusted
	for i, o := range m.Operations {
		if o.ID == "" || o.Body == "" {
			return nil, fmt.Errorf("%s: operation %d of the manifest, %q, has no id or no body", path, i+1, o.Name)
		}
		found = append(found, Trusted{ID: o.ID, Name: o.Name, Text: o.Body})
	}
	return found, nil
}

// plainManifest is that of Relay and graphql-codegen.
func plainManifest(path string, entries map[string]json.RawMessage) ([]Trusted, error) {
	var found []Trusted
	for _, id := range slices.Sorted(maps.Keys(entries)) {
		var text string
		if err := json.Unmarshal(entries[id], &text); err != nil {
			return nil, fmt.Errorf("%s is no manifest of Apollo, Relay or graphql-codegen: its %q is no text", path, id)
		}
		found = append(found, Trusted{ID: id, Text: text})
	}
	return found, nil
}

// check completes the name and compares an id that looks like a hash, SHA-256, SHA-1
// or Relay's MD5, with the text. An id of another kind stands for itself.
func (t *Trusted) check() error {
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: t.Text}, maxTrustedTokens)
	if err != nil {
		return fmt.Errorf("the document %s cannot be parsed: %s", cmp.Or(t.Name, t.ID), saidAt(err))
	}
	if len(doc.Operations) != 1 {
		return fmt.Errorf("the document %s holds %d operations; a persisted document holds one", cmp.Or(t.Name, t.ID), len(doc.Operations))
	}
	if name := doc.Operations[0].Name; t.Name == "" {
		t.Name = name
	} else if t.Name != name {
		return fmt.Errorf("the document %s holds another operation, %s", t.Name, cmp.Or(name, "one without a name"))
	}
	if kind, hash := hashLike(bareHash(t.ID), t.Text); hash != "" && !strings.EqualFold(bareHash(t.ID), hash) {
		return fmt.Errorf("the id of %s is not the %s of its document, which is %s: the manifest was edited, or belongs to another build", cmp.Or(t.Name, t.ID), kind, hash)
	}
	return nil
}

// hashLike is the hash of a text that an id looks like, and what it is called; it is
// empty where the id looks like none.
func hashLike(id, text string) (kind, hash string) {
	if _, err := hex.DecodeString(id); err != nil {
		return "", ""
	}
	switch len(id) {
	case 2 * md5.Size:
		sum := md5.Sum([]byte(text))
		return "MD5", hex.EncodeToString(sum[:])
	case 2 * sha1.Size:
		sum := sha1.Sum([]byte(text))
		return "SHA-1", hex.EncodeToString(sum[:])
	case 2 * sha256.Size:
		return "SHA-256", hashOf(text)
	}
	return "", ""
}

// bareHash is an id without the prefix that graphql-codegen writes.
func bareHash(id string) string { return strings.TrimPrefix(id, "sha256:") }

// isHash tells whether an id looks like a SHA-256 in hexadecimal.
func isHash(id string) bool {
	_, err := hex.DecodeString(id)
	return err == nil && len(id) == 2*sha256.Size && strings.ToLower(id) == id
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
