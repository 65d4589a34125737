package server

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/timesheet"
)

// byHash asks for a document by its hash, with its text if that is given.
func (r *rig) byHash(token, hash, text, operation string) answer {
	r.t.Helper()
	body := map[string]any{"extensions": map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hash}}}
	if text != "" {
		body["query"] = text
	}
	if operation != "" {
		body["operationName"] = operation
	}
	raw, err := json.Marshal(body)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.must(call{body: string(raw), token: token, accept: mediaGraphQL})
}

func TestAutomaticPersistedQueries(t *testing.T) {
	r := newRig(t, nil)
	const text = `query Who { viewer { role } }`
	hash := hashOf(text)
	if a := r.byHash(r.token, hash, "", "Who"); a.code() != codePersistedUnknown || a.status != http.StatusOK {
		t.Fatalf("an unknown hash: status %d, %s", a.status, a.raw)
	}
	if a := r.byHash(r.token, hash, `query Who { viewer { user { id } } }`, "Who"); a.code() != codeBadRequest {
		t.Errorf("a hash of another text: %s", a.raw)
	}
	if a := r.byHash(r.token, hash, text, "Who"); len(a.Errors) > 0 {
		t.Fatalf("with its text: %s", a.raw)
	}
	for _, operation := range []string{"Who", ""} {
		if a := r.byHash(r.token, hash, "", operation); len(a.Errors) > 0 || !strings.Contains(a.raw, "OWNER") {
			t.Errorf("by its hash alone, operation %q: %s", operation, a.raw)
		}
	}
	if a := r.must(call{method: http.MethodGet, path: `/graphql?extensions={"persistedQuery":{"version":1,"sha256Hash":"` + hash + `"}}`, token: r.token}); len(a.Errors) > 0 {
		t.Errorf("by GET: %s", a.raw)
	}
	const invalid = `query Bad { nothing }`
	r.byHash(r.token, hashOf(invalid), invalid, "")
	const strange = `{ __typename }`
	r.byHash("", hashOf(strange), strange, "")
	if documents, bytes := r.server.persisted.held(); documents != 1 || bytes != len(text) {
		t.Errorf("%d documents of %d bytes are stored, want the valid one of somebody with a token", documents, bytes)
	}
}

// A hash that could never be known is an error, with its text and without, and so is
// what else no protocol says; the ids of a manifest may look as they like.
func TestHashesThatAreNone(t *testing.T) {
	const text, other = `query Who { viewer { role } }`, `{ viewer { workspace { id } } }`
	md5, sha1 := "7744019d033b54619abd1d2c3fd214a3", strings.Repeat("a1", 20)
	plain := newRig(t, nil)
	trusting := newRig(t, nil)
	if err := trusting.server.Trust(t.Context(), []Trusted{{ID: md5, Name: "Who", Text: text}, {ID: sha1, Text: other}}); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		rig                   *rig
		persisted, rest, code string
	}{
		"in capitals":                        {plain, `{"version":1,"sha256Hash":"` + strings.ToUpper(hashOf(text)) + `"}`, `,"query":"` + text + `"`, codeBadRequest},
		"in capitals, alone":                 {plain, `{"version":1,"sha256Hash":"` + strings.ToUpper(hashOf(text)) + `"}`, "", codeBadRequest},
		"a word":                             {plain, `{"version":1,"sha256Hash":"abc"}`, `,"query":"` + text + `"`, codeBadRequest},
		"a word, alone":                      {plain, `{"version":1,"sha256Hash":"abc"}`, "", codeBadRequest},
		"empty":                              {plain, `{"version":1,"sha256Hash":""}`, `,"query":"` + text + `"`, codeBadRequest},
		"a number":                           {plain, `{"version":1,"sha256Hash":7}`, `,"query":"` + text + `"`, codeBadRequest},
		"none":                               {plain, `{"version":1}`, `,"query":"` + text + `"`, codeBadRequest},
		"version 2":                          {plain, `{"version":2,"sha256Hash":"` + hashOf(text) + `"}`, `,"query":"` + text + `"`, codeBadRequest},
		"a version in words":                 {plain, `{"version":"1","sha256Hash":"` + hashOf(text) + `"}`, `,"query":"` + text + `"`, codeBadRequest},
		"no object":                          {plain, `"` + hashOf(text) + `"`, `,"query":"` + text + `"`, codeBadRequest},
		"a list":                             {plain, `[1]`, `,"query":"` + text + `"`, codeBadRequest},
		"null":                               {plain, `null`, `,"query":"` + text + `"`, ""},
		"as it should be":                    {plain, `{"version":1,"sha256Hash":"` + hashOf(text) + `"}`, `,"query":"` + text + `"`, ""},
		"a documentId beside a text":         {plain, `null`, `,"documentId":"relay-7","query":"` + text + `"`, ""},
		"a manifest's MD5":                   {trusting, `{"version":1,"sha256Hash":"` + md5 + `"}`, "", ""},
		"with its text":                      {trusting, `{"version":1,"sha256Hash":"` + md5 + `"}`, `,"query":"` + text + `"`, ""},
		"a manifest's SHA-1":                 {trusting, `{"version":1,"sha256Hash":"` + sha1 + `"}`, "", ""},
		"as documentId":                      {trusting, `null`, `,"documentId":"` + sha1 + `"`, ""},
		"an id of another build's manifest":  {trusting, `{"version":1,"sha256Hash":"abc"}`, "", codePersistedUnknown},
		"with a text that would not be kept": {trusting, `{"version":1,"sha256Hash":"abc"}`, `,"query":"` + text + `"`, codeBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			body := `{"extensions":{"persistedQuery":` + test.persisted + `}` + test.rest + `}`
			if a := test.rig.must(call{body: body, token: test.rig.token, accept: mediaGraphQL}); a.code() != test.code {
				t.Errorf("%q, want %q: %s", a.code(), test.code, a.raw)
			}
		})
	}
	if documents, _ := plain.server.persisted.held(); documents != 1 {
		t.Errorf("%d documents are kept, want the one with a hash that is one", documents)
	}
}

func TestModesOfDocuments(t *testing.T) {
	const text = `query Who { viewer { role } }`
	off := newRig(t, func(c *Config) { c.Documents = DocumentsOff })
	if a := off.byHash(off.token, hashOf(text), "", ""); a.code() != codePersistedOff || a.status != http.StatusOK {
		t.Errorf("off, by hash: status %d, %s", a.status, a.raw)
	}
	if a := off.byHash(off.token, hashOf(text), text, ""); len(a.Errors) > 0 {
		t.Errorf("off, in full: %s", a.raw)
	}
	long := "query Long { viewer { role " + strings.Repeat("role ", 1500) + "} }" // over the tokens of unknown documents
	only := newRig(t, func(c *Config) { c.Documents = TrustedOnly })
	manifest := []Trusted{{ID: "sha256:" + hashOf(text), Name: "Who", Text: text}, {ID: "relay-7", Name: "Long", Text: long}}
	if err := only.server.Trust(t.Context(), manifest); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		answer answer
		code   string
	}{
		"by its hash":                    {only.byHash(only.token, hashOf(text), "", "Who"), ""},
		"by the manifest's own id":       {only.byHash(only.token, "sha256:"+hashOf(text), "", ""), ""},
		"in full":                        {only.must(call{query: text, token: only.token, accept: mediaGraphQL}), ""},
		"by documentId":                  {only.must(call{body: `{"documentId":"relay-7"}`, token: only.token, accept: mediaGraphQL}), ""},
		"another text":                   {only.must(call{query: `{ viewer { user { id } } }`, token: only.token, accept: mediaGraphQL}), codePersistedOnly},
		"another text with its hash":     {only.byHash(only.token, hashOf(`{ __typename }`), `{ __typename }`, ""), codePersistedOnly},
		"an unknown hash":                {only.byHash(only.token, hashOf("x"), "", ""), codePersistedUnknown},
		"another operation's name":       {only.byHash(only.token, hashOf(text), "", "Other"), codePersistedUnknown},
		"an id of a megabyte":            {only.must(call{body: `{"documentId":"` + strings.Repeat("7", 100_000) + `"}`, token: only.token, accept: mediaGraphQL}), codePersistedUnknown},
		"without a token is still 401":   {only.byHash("", hashOf(text), "", ""), codeUnauthenticated},
		"a hash that is no hash":         {only.byHash(only.token, "../../etc/passwd", "", ""), codePersistedUnknown},
		"neither a query nor an id":      {only.must(call{body: `{}`, token: only.token, accept: mediaGraphQL}), codeBadRequest},
		"an id that is no text":          {only.must(call{body: `{"documentId":7}`, token: only.token, accept: mediaGraphQL}), codeBadRequest},
		"a hash that is a list of texts": {only.must(call{body: `{"extensions":{"persistedQuery":{"sha256Hash":["x"]}}}`, token: only.token, accept: mediaGraphQL}), codeBadRequest},
	} {
		if got := test.answer.code(); got != test.code {
			t.Errorf("%s: %q, want %q: %s", name, got, test.code, test.answer.raw)
		}
	}
	if documents, _ := only.server.persisted.held(); documents != 0 {
		t.Errorf("%d documents were stored beside the manifests", documents)
	}
}

// A manifest whose document does not fit the schema keeps the server from
// starting: it would refuse the client that sends it.
func TestTrustedDocumentsFitTheSchema(t *testing.T) {
	r := newRig(t, nil)
	err := r.server.Trust(t.Context(), []Trusted{{ID: "1", Name: "Old", Text: `query Old { gone }`}})
	if err == nil || !strings.Contains(err.Error(), "Old") || !strings.Contains(err.Error(), "gone") {
		t.Errorf("error %v, want the operation and what is wrong with it", err)
	}
}

func TestReadManifest(t *testing.T) {
	const text = `query Who { viewer { role } }`
	apollo := func(format, id, body string) string {
		raw, _ := json.Marshal(map[string]any{"format": format, "version": 1, "operations": []map[string]string{{"id": id, "name": "Who", "type": "query", "body": body}}})
		return string(raw)
	}
	for name, test := range map[string]struct{ content, want string }{
		"Apollo":                    {apollo(apolloFormat, hashOf(text), text), ""},
		"Relay":                     {`{"7744019d033b54619abd1d2c3fd214a3":"query Who { viewer { role } }"}`, ""},
		"an MD5 of another text":    {`{"d41d8cd98f00b204e9800998ecf8427e":"query Who { viewer { role } }"}`, "the id of Who is not the MD5"},
		"a hash in capitals":        {apollo(apolloFormat, strings.ToUpper(hashOf(text)), text), ""},
		"a wrong hash in capitals":  {apollo(apolloFormat, strings.ToUpper(hashOf(text+" ")), text), "the id of Who is not the SHA-256"},
		"graphql-codegen":           {`{"sha256:` + hashOf(text) + `":"query Who { viewer { role } }"}`, ""},
		"a hash of another text":    {apollo(apolloFormat, hashOf(text+" "), text), "the id of Who is not the SHA-256"},
		"another format":            {apollo("something-else", hashOf(text), text), "something-else"},
		"a document that is broken": {apollo(apolloFormat, hashOf("query {"), "query {"), "the document Who cannot be parsed"},
		"two operations in one":     {`{"x":"query A { viewer { role } } query B { viewer { role } }"}`, "holds 2 operations"},
		"no text":                   {`{"x":7}`, `"x" is no text`},
		"no JSON":                   {`query Who { viewer { role } }`, "manifest.json:1:1: this is no JSON"},
		"another name":              {apollo(apolloFormat, "1", `query Me { viewer { role } }`), "the document Who holds another operation, Me"},
		"no name":                   {apollo(apolloFormat, "1", `{ viewer { role } }`), "the document Who holds another operation, one without a name"},
		"a key twice":               {"{\"1\":\"query Who { viewer { role } }\",\n\"1\":\"query Me { viewer { user { id } } }\"}", `manifest.json:2:1: the key "1" stands here again, first at 1:2`},
		"a key twice, further down": {strings.Replace(apollo(apolloFormat, hashOf(text), text), `"id":`, `"id":"1","id":`, 1), `the key "id" stands here again`},
		"text of another code":      {"\"\xe9\"", "manifest.json:1:2: this is not UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "manifest.json")
			if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			found, err := ReadManifest(path)
			switch {
			case test.want == "" && (err != nil || len(found) != 1 || found[0].Name != "Who" || found[0].Text != text):
				t.Errorf("read %+v, %v", found, err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

// One id stands for one text in all manifests; the same twice is nothing new.
func TestReadManifests(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	web := write("web.json", `{"who":"query Who { viewer { role } }"}`)
	same := write("same.json", `{"who":"query Who { viewer { role } }"}`)
	app := write("app.json", `{"who":"query Who { viewer { user { id } } }"}`)
	if found, err := ReadManifests([]string{web, same}); err != nil || len(found) != 2 {
		t.Errorf("one text twice: %v, %v", found, err)
	}
	if _, err := ReadManifests([]string{web, app}); err == nil || !strings.Contains(err.Error(), web) || !strings.Contains(err.Error(), app) {
		t.Errorf("error %v, want both files", err)
	}
}

// What a trusted document can need too much of is logged, points or nodes.
func TestTrustedDocumentsThatCanBeTooDear(t *testing.T) {
	var log strings.Builder
	r := newRig(t, func(c *Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	for name, test := range map[string]struct {
		text string
		want bool
	}{
		"Nodes": {`query Nodes { projects(first: 100) { nodes { tasks(first: 100) { nodes { id } } } } }`, true},
		"Fits":  {`query Fits { projects(first: 100) { nodes { id } } }`, false},
	} {
		log.Reset()
		if err := r.server.Trust(t.Context(), []Trusted{{ID: name, Name: name, Text: test.text}}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(log.String(), "operation="+name); got != test.want {
			t.Errorf("%s: logged %t, want %t: %s", name, got, test.want, log.String())
		}
	}
}

// Nobody fills the store of documents alone, and it stays within its bytes.
func TestStoredDocumentsAreBounded(t *testing.T) {
	s := newPersisted(APQ)
	document := func(n int) params {
		text := fmt.Sprintf("query Q%d { viewer { role } } #%s", n, strings.Repeat("x", 8000))
		return params{query: text, id: hashOf(text)}
	}
	for n := range 100 {
		s.remember(document(n), "greedy")
	}
	if _, bytes := s.held(); bytes > persistedQuota || bytes < persistedQuota*9/10 {
		t.Errorf("one person stores %d bytes, up to %d are allowed", bytes, persistedQuota)
	}
	if _, ok := s.find(document(99).id); !ok {
		t.Error("who fills their part cannot store what they send now")
	}
	kept, gone := document(75).id, document(76).id
	if _, ok := s.find(kept); !ok {
		t.Fatal("a document that fits is not there")
	}
	for n := range 30 {
		s.remember(document(200+n), "greedy")
		s.find(kept)
	}
	if _, ok := s.find(gone); ok {
		t.Error("a document that nobody used stays while newer ones of the same person came")
	}
	if _, ok := s.find(kept); !ok {
		t.Error("a document in use went before those that nobody used")
	}
	for owner := range 60 {
		for n := range 40 {
			s.remember(document(1000*(owner+1)+n), fmt.Sprint(owner))
		}
	}
	if _, bytes := s.held(); bytes > persistedBytes || bytes < persistedBytes*9/10 {
		t.Errorf("%d bytes are stored, want up to %d", bytes, persistedBytes)
	}
	if _, ok := s.find(document(0).id); ok {
		t.Error("the oldest documents are still there")
	}
	s.remember(document(1_000_000), "greedy")
	if _, ok := s.find(document(1_000_000).id); !ok {
		t.Error("whose documents are gone may store no new ones")
	}
}

// A server knows the commonest documents of those before it, parsed and priced,
// before it answers anybody.
func TestDocumentsAreWarmedBeforeReadiness(t *testing.T) {
	first := newRig(t, nil)
	const documents = 60 // of the apps
	texts := make([]string, documents)
	for i := range texts {
		texts[i] = fmt.Sprintf("query Screen%d { viewer { role a%d: role } }", i, i)
		first.byHash(first.token, hashOf(texts[i]), texts[i], fmt.Sprint("Screen", i))
	}
	first.server.saveCommon(t.Context())
	rare := `query Rare { viewer { user { id } } }` // that nothing has saved
	first.byHash(first.token, hashOf(rare), rare, "Rare")
	first.http.Close()

	again := *first
	var err error
	if again.server, err = New(Config{Store: first.store, Secret: []byte("a secret of the tests"), Log: first.server.log}); err != nil {
		t.Fatal(err)
	}
	again.server.warm(t.Context())
	before, _ := again.server.documents.held()
	again.http = httptest.NewServer(again.server.Handler())
	t.Cleanup(again.http.Close)
	token := again.mint(again.owner, again.owner.User, timesheet.ScopeRead)
	for i := range texts {
		if a := again.byHash(token, hashOf(texts[i]), "", fmt.Sprint("Screen", i)); len(a.Errors) > 0 {
			t.Errorf("screen %d: %s", i, a.raw)
		}
	}
	if after, _ := again.server.documents.held(); after != before || before < documents {
		t.Errorf("%d documents were parsed before readiness, %d after it: all of %d belong before", before, after-before, documents)
	}
	if a := again.byHash(token, hashOf(rare), "", "Rare"); a.code() != codePersistedUnknown {
		t.Errorf("a document that was not saved: %s", a.raw)
	}
}

// Extensions of a wrong type are an error, as those of others are.
func TestOwnExtensionsOfAWrongType(t *testing.T) {
	r := newRig(t, nil)
	for given, code := range map[string]string{
		`{"explain":true}`: "", `{"explain":null}`: "", `{}`: "", `null`: "",
		`{"explain":"yes"}`: codeBadRequest, `{"explain":1}`: codeBadRequest, `5`: codeBadRequest, `[]`: codeBadRequest, `"x"`: codeBadRequest,
	} {
		body := `{"query":"{ viewer { role } }","extensions":{"headroom":` + given + `}}`
		if a := r.must(call{body: body, token: r.token, accept: mediaGraphQL}); a.code() != code {
			t.Errorf("%s: %q, want %q: %s", given, a.code(), code, a.raw)
		}
	}
}
