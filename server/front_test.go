package server

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/timesheet"
)

func TestNegotiate(t *testing.T) {
	for _, test := range []struct {
		name, accept, media string
		ok                  bool
	}{
		{"anything", "*/*", mediaJSON, true},
		{"nothing", "", mediaJSON, true},
		{"the new type", mediaGraphQL, mediaGraphQL, true},
		{"both, the new one preferred", mediaGraphQL + ", application/json;q=0.9", mediaGraphQL, true},
		{"both, the old one preferred", mediaGraphQL + ";q=0.5, application/json", mediaJSON, true},
		{"both alike", "application/json, " + mediaGraphQL, mediaGraphQL, true},
		{"Apollo iOS", "multipart/mixed;deferSpec=20220824,application/graphql-response+json,application/json", mediaGraphQL, true},
		{"urql", "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed", mediaGraphQL, true},
		{"a browser", "text/html,application/xhtml+xml,*/*;q=0.8", mediaJSON, true},
		{"only a stream", "text/event-stream", "", false},
		{"another charset", "application/json; charset=iso-8859-1", "", false},
		{"ruled out", "application/json;q=0", "", false},
		{"not a quality", "application/json;q=best", "", false},
		{"garbage", ";;;", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			media, ok := negotiate([]string{test.accept})
			if media != test.media || ok != test.ok {
				t.Errorf("negotiate(%q) = %q, %v, want %q, %v", test.accept, media, ok, test.media, test.ok)
			}
		})
	}
	if media, ok := negotiate(nil); media != mediaJSON || !ok {
		t.Errorf("without Accept: %q, %v, want %q", media, ok, mediaJSON)
	}
}

func TestDecodeBody(t *testing.T) {
	for _, test := range []struct {
		name, body, code string
	}{
		{"a query", `{"query":"{ a }","variables":{"n":1},"operationName":"A","extensions":{}}`, ""},
		{"nulls", `{"query":"{ a }","variables":null,"operationName":null,"extensions":null}`, ""},
		{"unknown members", `{"query":"{ a }","id":7}`, ""},
		{"a persisted id", `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}`, ""},
		{"no query", `{}`, codeBadRequest},
		{"no JSON", `{"query":`, codeBadRequest},
		{"nothing", ``, codeBadRequest},
		{"two values", `{"query":"{ a }"} {}`, codeBadRequest},
		{"a bracket too many", `{"query":"{ a }"}}`, codeBadRequest},
		{"a batch", ` [{"query":"{ a }"}]`, codeBadRequest},
		{"a number for a query", `{"query":1}`, codeBadRequest},
		{"a list for variables", `{"query":"{ a }","variables":[]}`, codeBadRequest},
		{"a string for variables", `{"query":"{ a }","variables":"{}"}`, codeBadRequest},
		{"an object for operationName", `{"query":"{ a }","operationName":{}}`, codeBadRequest},
		{"a string for extensions", `{"query":"{ a }","extensions":"x"}`, codeBadRequest},
		{"nested 10,000 deep", `{"query":"{ a }","variables":{"x":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}}`, codeBadRequest},
		{"brackets in a string", `{"query":"{ a }","variables":{"x":"` + strings.Repeat("[", 100) + `\""}}`, ""},
		{"invalid UTF-8", "{\"query\":\"{ \xff }\"}", codeBadRequest},
		{"a long query", `{"query":"` + strings.Repeat("#", maxQuery+1) + `"}`, codeTooLarge},
		{"long variables", `{"query":"{ a }","variables":{"x":"` + strings.Repeat("x", maxVariables) + `"}}`, codeTooLarge},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, f := decodeBody([]byte(test.body))
			if code := codeOf(f); code != test.code {
				t.Errorf("code %q, want %q", code, test.code)
			}
			if f != nil && len(test.body) > 20 && strings.Contains(f.message, test.body) {
				t.Error("the answer repeats the request")
			}
		})
	}
}

func TestNumbersKeepTheirDigits(t *testing.T) {
	p, f := decodeBody([]byte(`{"query":"{ a }","variables":{"n":9007199254740993}}`))
	if f != nil {
		t.Fatal(f.message)
	}
	if got := p.variables["n"]; cmp.Diff("9007199254740993", strings.TrimSpace(sprint(got))) != "" {
		t.Errorf("n = %v, want all sixteen digits", got)
	}
}

func sprint(v any) string {
	if s, ok := v.(interface{ String() string }); ok {
		return s.String()
	}
	return ""
}

func codeOf(f *fault) string {
	if f == nil {
		return ""
	}
	return f.code
}

func TestBodyTooLargeIsReadable(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(make([]byte, maxBody+1)))
	if _, f := readBody(r); codeOf(f) != codeTooLarge {
		t.Errorf("code %q, want %q", codeOf(f), codeTooLarge)
	}
}

func FuzzDecodeBody(f *testing.F) {
	f.Add([]byte(`{"query":"{ a }","variables":{"a":[1,"x",null]}}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, fault := decodeBody(body)
		if fault == nil && p.query == "" && p.id == "" {
			t.Errorf("accepted without a query: %q", body)
		}
	})
}

func TestTokens(t *testing.T) {
	now := time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
	soon := now.Add(time.Hour)
	keys, others := NewKeys([]byte("a secret of the server")), NewKeys([]byte("another server's secret"))
	token := timesheet.Token{ID: 7, UserID: 11, Scope: timesheet.ScopeWrite, ExpiresAt: &soon}
	text := keys.MintToken(3, token)
	want := credential{workspace: 3, user: 11, token: 7, scope: timesheet.ScopeWrite, expires: soon}
	got, ok := keys.readToken(text, now)
	if !ok || got.workspace != want.workspace || got.user != want.user || got.token != want.token || got.scope != want.scope || !got.expires.Equal(want.expires) {
		t.Errorf("read %+v, %v, want %+v", got, ok, want)
	}
	if _, ok := keys.readToken(text, soon); ok {
		t.Error("an expired token is accepted")
	}
	if _, ok := others.readToken(text, now); ok {
		t.Error("another server's token is accepted")
	}
	if _, _, _, ok := keys.ReadClaim(claimPrefix + strings.TrimPrefix(text, tokenPrefix)); ok {
		t.Error("a token is accepted as a claim")
	}
	for i := range text {
		for _, c := range []byte{'A', '_', 0} {
			forged := []byte(text)
			if forged[i] == c {
				continue
			}
			forged[i] = c
			if _, ok := keys.readToken(string(forged), now); ok {
				t.Errorf("accepted with byte %d changed: %s", i, forged)
			}
		}
	}
	claim := keys.MintClaim(3, 11, 99)
	if ws, user, id, ok := keys.ReadClaim(claim); !ok || ws != 3 || user != 11 || id != 99 {
		t.Errorf("claim read as %d, %d, %d, %v", ws, user, id, ok)
	}
}

func FuzzReadToken(f *testing.F) {
	keys := NewKeys([]byte("a secret of the server"))
	f.Add(keys.MintToken(3, timesheet.Token{ID: 7, UserID: 11}))
	f.Add("hr__")
	f.Fuzz(func(t *testing.T, text string) {
		c, ok := keys.readToken(text, time.Unix(0, 0))
		if ok && keys.MintToken(c.workspace, timesheet.Token{ID: c.token, UserID: c.user, Scope: c.scope}) != text && c.expires.IsZero() {
			t.Errorf("accepted a text that was never minted: %q", text)
		}
	})
}
