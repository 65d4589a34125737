package server

import (
	"container/list"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"headroom/store"
)

// DocumentMode says which documents are run.
type DocumentMode string

// Off runs documents that are sent in full; APQ also by their hash once they
// were sent with it (automatic persisted queries); TrustedOnly runs those of the
// manifests and no others.
const (
	DocumentsOff DocumentMode = "off"
	APQ          DocumentMode = "apq"
	TrustedOnly  DocumentMode = "trusted-only"
)

const (
	persistedBytes  = 8 << 20   // of text
	persistedQuota  = 256 << 10 // of text that one person may have stored
	persistedCommon = 1000      // documents known before readiness
	persistedSave   = time.Minute
	persistedPause  = time.Second // after which a document that nobody had sent before is saved
)

// persisted are the documents that clients send by an id: those of manifests,
// which stay, and those that clients have stored themselves, bounded by bytes.
type persisted struct {
	mode    DocumentMode
	trusted map[string]*document // by id
	fresh   chan struct{}        // wakes whoever saves: a document is new

	mu     sync.Mutex
	byHash map[string]*stored
	all    *shelf
	owned  map[string]*shelf // by who has stored them
}

// shelf is what all have stored, or one person, and the bytes of the texts.
type shelf struct {
	used  *list.List // of *stored, most recently used first
	bytes int
}

func newShelf() *shelf { return &shelf{used: list.New()} }

// oldest is the document that nobody has used for longest.
func (s *shelf) oldest() *stored { return s.used.Back().Value.(*stored) }

// stored is a document that a client has sent with its hash.
type stored struct {
	store.StoredDocument
	owner        string
	inAll, inOwn *list.Element // its places on the shelves
}

func newPersisted(mode DocumentMode) *persisted {
	return &persisted{mode: mode, trusted: map[string]*document{}, fresh: make(chan struct{}, 1), byHash: map[string]*stored{}, all: newShelf(), owned: map[string]*shelf{}}
}

// Trust parses and prices the documents of manifests; call it before Serve. One
// that does not fit the schema is an error with its name: a server that started
// without it would refuse the client that sends it.
func (s *Server) Trust(ctx context.Context, found []Trusted) error {
	for _, t := range found {
		doc, f := s.documents.load(ctx, params{query: t.Text, trusted: true}, &timings{})
		if f != nil {
			return fmt.Errorf("the trusted document %s: %w", t.Name, f.list()[0])
		}
		doc.key = documentKeyOf("", t.Text)
		s.persisted.trusted[bareHash(t.ID)], s.persisted.trusted[hashOf(t.Text)] = doc, doc
		vars, _ := doc.dearestVariables(s.documents.schema, s.caps.Accepts.Sizes, nil)
		if price := doc.formula.Price(vars, nil); price.Invalid == nil && (price.Bound > s.caps.Points || price.Nodes > s.caps.Nodes) {
			s.log.Warn("a trusted document can cost more than one operation may", "operation", t.Name,
				"points", round(price.Bound), "max", s.caps.Points, "nodes", price.Nodes, "maxNodes", s.caps.Nodes)
		}
	}
	return nil
}

// resolve finds what a request stands for: a document that was parsed before
// (trusted), or its text in p.
func (s *persisted) resolve(p *params) (*document, *fault) {
	id := bareHash(p.id)
	if id != "" && s.mode == DocumentsOff && p.query == "" {
		return nil, refuse(codePersistedOff, "PersistedQueryNotSupported")
	}
	if doc := s.trusted[id]; doc != nil && (p.query == "" || hashOf(p.query) == hashOf(doc.text())) && doc.named(p.operation) {
		return doc, nil
	}
	if p.persisted && !isHash(id) && s.trusted[id] == nil && (p.query != "" || len(s.trusted) == 0) { // else it may be another build's
		return nil, refuse(codeBadRequest, "sha256Hash is no SHA-256: 64 hexadecimal digits, in lower case")
	}
	if p.query != "" {
		return s.full(p, id)
	}
	text, ok := s.find(id)
	if !ok {
		return nil, refuse(codePersistedUnknown, "PersistedQueryNotFound")
	}
	p.query = text
	return nil, nil
}

// full judges a document that was sent with its text.
func (s *persisted) full(p *params, id string) (*document, *fault) {
	if id != "" && isHash(id) && hashOf(p.query) != id {
		return nil, refuse(codeBadRequest, "the hash is not the SHA-256 of the query")
	}
	if s.mode != TrustedOnly {
		return nil, nil
	}
	doc := s.trusted[hashOf(p.query)]
	if doc == nil || !doc.named(p.operation) {
		return nil, refuse(codePersistedOnly, "only documents of the manifests are run here")
	}
	return doc, nil
}

func (s *persisted) find(hash string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.byHash[hash]
	if !ok {
		return "", false
	}
	s.all.used.MoveToFront(d.inAll)
	s.owned[d.owner].used.MoveToFront(d.inOwn)
	d.Uses++
	return d.Text, true
}

// remember stores a valid document that was sent with its hash. One person can
// fill a part only, so that nobody pushes out what the others send; beyond it, what
// they have not used for longest makes room.
func (s *persisted) remember(p params, owner string) {
	hash := bareHash(p.id)
	if s.mode != APQ || !isHash(hash) || p.query == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.byHash[hash]; ok {
		return
	}
	for own := s.owned[owner]; own != nil && own.used.Len() > 0 && own.bytes+len(p.query) > persistedQuota; {
		s.dropLocked(own.oldest())
	}
	s.keepLocked(&stored{StoredDocument: store.StoredDocument{Hash: hash, Text: p.query, Uses: 1}, owner: owner})
	select {
	case s.fresh <- struct{}{}:
	default:
	}
}

func (s *persisted) keepLocked(d *stored) {
	own := s.owned[d.owner]
	if own == nil {
		own = newShelf()
		s.owned[d.owner] = own
	}
	s.byHash[d.Hash] = d
	d.inAll, d.inOwn = s.all.used.PushFront(d), own.used.PushFront(d)
	s.all.bytes += len(d.Text)
	own.bytes += len(d.Text)
	for s.all.bytes > persistedBytes {
		s.dropLocked(s.all.oldest())
	}
}

func (s *persisted) dropLocked(d *stored) {
	delete(s.byHash, d.Hash)
	own := s.owned[d.owner]
	s.all.used.Remove(d.inAll)
	own.used.Remove(d.inOwn)
	s.all.bytes -= len(d.Text)
	if own.bytes -= len(d.Text); own.used.Len() == 0 {
		delete(s.owned, d.owner)
	}
}

// held is how many documents clients have stored, and the bytes of their text.
func (s *persisted) held() (documents, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.byHash), s.all.bytes
}

// common takes the uses since the last time: of the most used documents.
func (s *persisted) common() []store.StoredDocument {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []store.StoredDocument
	for e := s.all.used.Front(); e != nil; e = e.Next() {
		if d := e.Value.(*stored); d.Uses > 0 {
			out = append(out, d.StoredDocument)
		}
	}
	slices.SortFunc(out, func(a, b store.StoredDocument) int { return int(b.Uses - a.Uses) })
	out = out[:min(len(out), persistedCommon)]
	for _, d := range out {
		s.byHash[d.Hash].Uses = 0
	}
	return out
}

// warm loads the commonest documents of all servers, parsed and priced, before
// the server says that it is ready: a twin that starts in a storm must not first
// refuse everybody's hashes.
func (s *Server) warm(ctx context.Context) {
	if s.persisted.mode != APQ {
		return
	}
	found, err := s.store.CommonDocuments(ctx, persistedCommon)
	if err != nil {
		s.log.Warn("load the commonest documents", "error", err)
		return
	}
	slices.Reverse(found) // the commonest last, so that they are the last to go
	for _, d := range found {
		if f := s.documents.prepare(ctx, d.Text); f != nil {
			continue // of another version of the schema
		}
		d.Uses = 0
		s.persisted.mu.Lock()
		s.persisted.keepLocked(&stored{StoredDocument: d, owner: "\x00"})
		s.persisted.mu.Unlock()
	}
	s.log.Info("documents are known by their hashes", "documents", len(found))
}

// warmPools opens the connections before anybody is let in.
func (s *Server) warmPools(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, warmFor)
	defer cancel()
	if err := s.store.Warm(ctx); err != nil {
		s.log.Warn("open connections ahead of requests", "error", err)
	}
}

// warmFor bounds how long a start waits for a slow database.
const warmFor = 10 * time.Second

// saveDocuments keeps the commonest documents until ctx ends: each minute, and new
// ones within a moment, so that a server that is killed has lost none. It saves once
// in that moment however many are new.
func (s *Server) saveDocuments(ctx context.Context) {
	repeat(ctx, persistedSave, s.persisted.fresh, func(ctx context.Context) {
		select {
		case <-ctx.Done():
		case <-time.After(persistedPause):
			s.saveCommon(ctx)
		}
	})
}

// saveCommon adds the uses since the last time to those of all servers.
func (s *Server) saveCommon(ctx context.Context) {
	found := s.persisted.common()
	if len(found) == 0 {
		return
	}
	if err := s.store.SaveDocuments(ctx, found); err != nil {
		s.log.Warn("save the commonest documents", "error", err)
	}
}
