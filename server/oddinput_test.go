package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"headroom/store/storetest"
)

// An error that quotes what was sent quotes it whole, in JSON in UTF-8, wherever that
// stood: clients read the message, browsers must not run it, and no line of it ends early.
func TestErrorsQuoteWhatWasSent(t *testing.T) {
	r := exportRig(t, storetest.Open(t), nil)
	const report = `query($in: ReportInput!) { timesheetReport(input: $in) { source } }`
	january := map[string]any{"from": "2026-01-01", "to": "2026-01-31"}
	for where, c := range map[string]struct {
		quoted bool // as Go writes texts, else as it is
		call   func(text string) call
	}{
		"a zone": {true, func(text string) call {
			return call{query: report, variables: map[string]any{"in": map[string]any{"period": january, "groupBy": []string{"DAY"}, "timeZone": text}}}
		}},
		"a key of an input": {false, func(text string) call {
			return call{query: report, variables: map[string]any{"in": map[string]any{"period": map[string]any{"from": "2026-01-01", "to": "2026-01-31", "x" + text: 1}, "groupBy": []string{"DAY"}}}}
		}},
		"a currency": {true, func(text string) call {
			return call{query: `mutation($c: CurrencyCode) { setRate(input: {minor: 1, currency: $c}) { userErrors { message } } }`, variables: map[string]any{"c": text}}
		}},
		"a zone in the document": {true, func(text string) call {
			return call{query: `{ myDay(timeZone: ` + literal(text) + `) { day } }`}
		}},
	} {
		for _, text := range oddTexts() {
			if utf8.RuneCountInString(text) > 500 || strings.TrimSpace(text) == "" {
				continue
			}
			send := c.call(text)
			send.token, send.accept = r.token, mediaGraphQL
			a := r.must(send)
			want := text
			if c.quoted {
				want = strconv.Quote(text)
			}
			if message := fmt.Sprint(find(a.Data, "message"), a.Errors); !strings.Contains(message, want) {
				t.Errorf("%s: %s is not in %q", where, want, message)
			}
			wellFormed(t, where, a)
		}
	}
}

// What is refused before it is understood is refused in the same form, and echoes
// nothing that is not clean.
func TestOddTextsWhereNoneBelong(t *testing.T) {
	r := newRig(t, nil)
	for _, text := range oddTexts() {
		body := func(v map[string]any) string {
			b, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		for where, c := range map[string]call{
			"a document":          {body: body(map[string]any{"query": text})},
			"an operation":        {body: body(map[string]any{"query": "{ __typename }", "operationName": "x" + text})},
			"a key of the body":   {body: body(map[string]any{text: 1})},
			"an extension":        {body: body(map[string]any{"query": "{ __typename }", "extensions": map[string]any{text: text, "persistedQuery": map[string]any{"version": 1, "sha256Hash": "x" + text}}})},
			"a document's id":     {body: body(map[string]any{"documentId": "x" + text})},
			"variables":           {body: body(map[string]any{"query": "query($v: Int) { runningTimer { id } }", "variables": map[string]any{"v": text}})},
			"an address":          {method: http.MethodGet, path: "/graphql?query=" + url.QueryEscape(text) + "&operationName=" + url.QueryEscape(text)},
			"an id":               {query: "query($id: ID!) { node(id: $id) { id } }", variables: map[string]any{"id": text}},
			"a cursor":            {query: "query($c: String) { projects(first: 1, after: $c) { nodes { id } } }", variables: map[string]any{"c": text}},
			"a client's name":     {query: "{ __typename }", header: map[string]string{"Apollographql-Client-Name": headerOf(text), "X-Request-Id": headerOf(text)}},
			"a preview's query":   {path: pathCost, body: body(map[string]any{"query": "{ x" + text + " }"})},
			"a wrongly set token": {query: "{ viewer { role } }", header: map[string]string{"Authorization": "Bearer " + headerOf(text)}},
		} {
			if c.header["Authorization"] == "" {
				c.token = r.token
			}
			a := r.must(c)
			wellFormed(t, where, a)
			if a.code() == codeInternal || a.status >= http.StatusInternalServerError {
				t.Errorf("%s of %.40q: status %d, %.300s", where, text, a.status, a.raw)
			}
		}
	}
}

func headerOf(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return -1
		}
		return c
	}, text)
}

// wellFormed tells whether a body is JSON that no proxy or browser takes for something else.
func wellFormed(t *testing.T, where string, a answer) {
	t.Helper()
	control := strings.ContainsFunc(strings.TrimSuffix(a.raw, "\n"), func(c rune) bool { return c < ' ' })
	if !utf8.ValidString(a.raw) || control || !json.Valid([]byte(a.raw)) || !strings.Contains(a.header.Get("Content-Type"), "json") {
		t.Errorf("%s: %s, %.300q", where, a.header.Get("Content-Type"), a.raw)
	}
}

// literal is a text as a string of a document, with the escapes that the language has.
func literal(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err) // a text always has a form
	}
	return string(b)
}

// Every way to write a character in a document means that character.
func TestEscapesInDocuments(t *testing.T) {
	r := newRig(t, nil)
	for written, want := range map[string]string{
		`"\uD83D\uDE00"`: "😀", `"\ud83d\ude00 \uDBFF\uDFFF"`: "😀 \U0010FFFF",
		`"\u{1F600}"`: "😀", `"\u00e9\u2028"`: "é\u2028", `"\\uD83D"`: `\uD83D`, `"\"\\\/\b\f\n\r\t"`: "\"\\/\b\f\n\r\t",
		`"""block "quotes" \uD83D \""" end"""`: `block "quotes" \uD83D """ end`, "\"😀\u2028\"": "😀\u2028", `"#\uD83D\uDE00"`: "#😀", `""`: "",
	} {
		for _, before := range []string{"", "# it\"s \\uD83D\n"} {
			query := before + `mutation { createTimeEntry(input: {startedAt: "2026-03-02T08:00:00Z", endedAt: "2026-03-02T09:00:00Z", description: ` + written + `}) { timeEntry { description } } }`
			if got := find(r.ask(query, nil).Data, "description"); got != want {
				t.Errorf("%s is %q, want %q", written, got, want)
			}
		}
	}
	// Half a pair is no character, in documents and in JSON: what stands for it is the
	// sign of what is lost.
	for half, want := range map[string]string{`\uD83D`: "\ufffd", `\uDE00`: "\ufffd", `\uDE00\uD83D`: "\ufffd\ufffd", `\uD83D\u0041`: "\ufffdA", `\uD83D\n`: "\ufffd\n", `\uD83D \uDE00`: "\ufffd \ufffd", `\uD83Dx`: "\ufffdx"} {
		inDocument := r.ask(`mutation { createTimeEntry(input: {startedAt: "2026-03-03T08:00:00Z", endedAt: "2026-03-03T09:00:00Z", description: "`+half+`"}) { timeEntry { description } } }`, nil)
		inJSON := r.must(call{body: `{"query":"mutation($d: String!) { createTimeEntry(input: {startedAt: \"2026-03-03T08:00:00Z\", endedAt: \"2026-03-03T09:00:00Z\", description: $d}) { timeEntry { description } } }","variables":{"d":"` + half + `"}}`, token: r.token})
		for where, a := range map[string]answer{"a document": inDocument, "variables": inJSON} {
			if got := find(a.Data, "description"); got != want {
				t.Errorf("%s in %s is %q, want %q", half, where, got, want)
			}
		}
	}
}

// Keys of an answer are names and need no escapes, be they as long or as special to
// some reader as may be.
func TestKeysOfAnswers(t *testing.T) {
	r := newRig(t, nil)
	for _, key := range []string{"__proto__", "constructor", "_", "data", "errors", strings.Repeat("k", 5000)} {
		if a := r.ask(`{ `+key+`: viewer { `+key+`: role } }`, nil); find(a.Data, key) == nil || find(find(a.Data, key), key) != "OWNER" {
			t.Errorf("%.20s: %.200s", key, a.raw)
		}
	}
	for _, key := range []string{`a\u0062`, `"a"`, "ă", "a\u2028b", "😀"} {
		if a := r.must(call{query: `{ ` + key + `: viewer { role } }`, token: r.token, accept: mediaGraphQL}); a.status != http.StatusBadRequest || a.code() != codeParseFailed {
			t.Errorf("the alias %q: status %d, %s", key, a.status, a.raw)
		}
	}
}
