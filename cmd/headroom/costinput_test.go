package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

const (
	rowsReport = `query Rows($p: PeriodInput!, $m: Int!, $k: [GroupKey!]!, $ids: [ID!]) { timesheetReport(input: {period: $p, groupBy: $k, maxRows: $m, filter: {userIds: $ids}}) { rows { key } } }`
	flagQuery  = `query Flag($s: Boolean!) { projects(first: 5) @skip(if: $s) { nodes { id } } }`
)

// Variables are held to their types as on the server: each defect has one line with
// the file, the operation, the place and what belongs there.
func TestCostHoldsVariablesToTheirTypes(t *testing.T) {
	for name, test := range map[string]struct{ vars, want string }{
		"a misspelt key of an input":    {`{"p": {"form": "2025-01-01", "to": "2025-01-31"}}`, "$p.form is unknown: PeriodInput has no such field: did you mean \"from\"?"},
		"what an input needs":           {`{"p": {"to": "2025-01-31"}}`, "$p.from is missing; its type is Date!"},
		"a date that is none":           {`{"p": {"from": "2025-01-01", "to": "2025-13-01"}}`, "$p.to is wrong: a Date is written as 2026-03-31"},
		"a key that no enum has":        {`{"k": ["TASKK"]}`, "$k[0] is no GroupKey, which is one of "},
		"a text for a number":           {`{"m": "5"}`, "$m is no Int"},
		"half a row":                    {`{"m": 1.5}`, "$m is no Int"},
		"more than 32 bits":             {`{"m": 5000000000}`, "$m is no Int"},
		"null for a period":             {`{"p": null}`, "$p may not be null; its type is PeriodInput!"},
		"a list for an object":          {`{"p": []}`, "$p is no PeriodInput"},
		"an id that is an object":       {`{"ids": [{}]}`, "$ids[0] is no ID"},
		"a variable in capitals":        {`{"Rows": {"P": 5}}`, "$P is no variable of it; did you mean $p?"},
		"no object for an operation":    {`{"Rows": 5}`, "Rows is an operation, so that its value has to be an object of its variables, not 5"},
		"a key twice":                   {"{\"m\": 1,\n \"m\": 2}", `vars.json:2:2: the key "m" stands here again, first at 1:2`},
		"a key twice, below":            {`{"Rows": {"m": 1, "m": 2}}`, `the key "m" stands here again, first at 1:11`},
		"a list":                        {`[]`, "vars.json:1:1: this is a JSON array, where an object belongs"},
		"a text":                        {`"p"`, "this is a JSON string, where an object belongs"},
		"more than one value":           {`{} {}`, "vars.json:1:4: something stands after the JSON value"},
		"half of it":                    {"{\"m\":\n 1", "vars.json:2:3: the JSON ends in the middle"},
		"no JSON":                       {"{m: 1}", "vars.json:1:2: this is no JSON: invalid character 'm'"},
		"nothing":                       {"", "vars.json is empty"},
		"another operation's alone":     {`{"Other": {"m": "x"}}`, ""},
		"one value for a list":          {`{"k": "TASK"}`, ""},
		"an integer with a fraction":    {`{"m": 10.0}`, ""},
		"a key that is known to nobody": {`{"page": 5}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeFiles(t, map[string]string{"rows.graphql": rowsReport, "vars.json": test.vars})
			r := runs(t, "cost", filepath.Join(dir, "rows.graphql"), "--vars", filepath.Join(dir, "vars.json"))
			if test.want == "" {
				if r.code != 0 {
					t.Errorf("exit %d: %s%s", r.code, r.out, r.stderr)
				}
				return
			}
			line := lineWith(r.stderr, test.want)
			if r.code != 2 || line == "" || !strings.Contains(line, "vars.json") {
				t.Fatalf("exit %d, want 2 and a line with %q:\n%s%s", r.code, test.want, r.out, r.stderr)
			}
			if strings.HasPrefix(test.want, "$") && !strings.Contains(line, "Rows in "+dir) {
				t.Errorf("the line names no operation and file: %s", line)
			}
		})
	}
}

func lineWith(text, part string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			return line
		}
	}
	return ""
}

// Of an operation that fits no schema the variables are not judged.
func TestCostOfVariablesForWhatIsWrong(t *testing.T) {
	dir := writeFiles(t, map[string]string{"a.graphql": "query A($m: Int) { nothing(m: $m) }", "vars.json": `{"A": {"m": 3}}`})
	r := runs(t, "cost", filepath.Join(dir, "a.graphql"), "--vars", filepath.Join(dir, "vars.json"))
	if r.code != 1 || !strings.Contains(r.out, `Cannot query field "nothing"`) || strings.Contains(r.stderr, "$m") {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.stderr)
	}
}

// Truth has two values: a text, a number and null are none.
func TestCostHoldsConditionsToBooleans(t *testing.T) {
	for value, want := range map[string]string{`"yes"`: "$s is no Boolean", "1": "$s is no Boolean", "null": "$s may not be null", "true": "", "false": ""} {
		dir := writeFiles(t, map[string]string{"flag.graphql": flagQuery, "vars.json": `{"s": ` + value + `}`})
		r := runs(t, "cost", filepath.Join(dir, "flag.graphql"), "--vars", filepath.Join(dir, "vars.json"))
		if code := map[bool]int{true: 0, false: 2}[want == ""]; r.code != code || !strings.Contains(r.stderr, want) {
			t.Errorf("%s: exit %d, %s, want %d, %q", value, r.code, r.stderr, code, want)
		}
	}
}

// A file that is wrong is told with its place, once, and the others are priced.
func TestCostPricesWhatIsRight(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		want  []string // in stderr
		told  int      // lines there
	}{
		"a syntax error":                  {map[string]string{"a.graphql": "query A {\n viewer {"}, []string{"a.graphql:2:10: Expected Name, found <EOF>"}, 1},
		"two of them":                     {map[string]string{"a.graphql": "{", "b.graphql": "}"}, []string{"a.graphql:1:2", "b.graphql:1:1"}, 2},
		"a schema":                        {map[string]string{"a.graphql": "type Query { a: Int }"}, []string{"this is a schema, which --schema takes"}, 1},
		"nothing":                         {map[string]string{"a.graphql": ""}, []string{"a.graphql holds neither an operation nor a fragment"}, 1},
		"a manifest without anything":     {map[string]string{"a.json": "{}"}, []string{"a.json holds no operation"}, 1},
		"an empty file for a manifest":    {map[string]string{"a.json": ""}, []string{"a.json is empty"}, 1},
		"a manifest cut off":              {map[string]string{"a.json": `{"x": "query X { viewer`}, []string{"a.json:1:24: the JSON ends in the middle"}, 1},
		"a list for a manifest":           {map[string]string{"a.json": `[]`}, []string{"a.json:1:1: this is a JSON array, where an object belongs"}, 1},
		"another JSON":                    {map[string]string{"a.json": `{"name": "x", "version": 2}`}, []string{`a.json is no manifest of Apollo, Relay or graphql-codegen: its "version" is no text`}, 1},
		"a manifest of broken documents":  {map[string]string{"a.json": `{"x": "query X {"}`}, []string{"a.json: the document x cannot be parsed: Expected Name, found <EOF>, in its line 1, column 10"}, 1},
		"operations that are no list":     {map[string]string{"a.json": `{"operations": {}}`}, []string{"this is a JSON object, where a list belongs"}, 1},
		"operations without a body":       {map[string]string{"a.json": `{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"1","name":"X"}]}`}, []string{`operation 1 of the manifest, "X", has no id or no body`}, 1},
		"a program":                       {map[string]string{"a.graphql": "\x7fELF\x02\x00\x00"}, []string{"a.graphql is no text"}, 1},
		"Latin-1":                         {map[string]string{"a.graphql": "query A {\n viewer { role } } # caf\xe9"}, []string{"a.graphql:2:25: this is not UTF-8"}, 1},
		"Latin-1 in a manifest":           {map[string]string{"a.json": "{\"caf\xe9\": \"{ viewer { role } }\"}"}, []string{"a.json:1:6: this is not UTF-8"}, 1},
		"UTF-16":                          {map[string]string{"a.json": "\xff\xfe{\x00}\x00"}, []string{"a.json is text in UTF-16: save it as UTF-8"}, 1},
		"two of one name in a file":       {map[string]string{"a.graphql": "query A { viewer { role } }\nquery A { viewer { user { id } } }"}, []string{"two operations are called A: at ", "a.graphql:1 and at ", "a.graphql:2"}, 1},
		"two of one name in two files":    {map[string]string{"a.graphql": "query A { viewer { role } }", "b.graphql": "\nmutation A { stopTimer(input: {}) { entry { id } } }"}, []string{"a.graphql:1 and at ", "b.graphql:2"}, 1},
		"one without a name beside one":   {map[string]string{"a.graphql": "query A { viewer { role } }\n{ viewer { role } }"}, []string{"a.graphql:2: an operation without a name has to be the only one of its file"}, 1},
		"fragments of one name in a file": {map[string]string{"a.graphql": "fragment F on Viewer { role }\nfragment F on Viewer { user { id } }"}, []string{"two fragments are called F: at ", "a.graphql:1 and at ", "a.graphql:2"}, 1},
		"fragments of one name": {map[string]string{
			"a.graphql": "fragment F on Viewer { role }", "b.graphql": "fragment F on Viewer { user { id } }", "c.graphql": "query C { viewer { ...F } }",
		}, []string{"C (", "c.graphql:1): two fragments are called F: at ", "a.graphql:1 and at ", "b.graphql:1"}, 1},
		"a key of a manifest twice": {map[string]string{"a.json": "{\"x\": \"query X { viewer { role } }\",\n \"x\": \"query Y { viewer { user { id } } }\"}"}, []string{`a.json:2:2: the key "x" stands here again, first at 1:2`}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			test.files["good.graphql"] = "query Good { viewer { role } }"
			dir := writeFiles(t, test.files)
			args := []string{"cost"}
			for _, pattern := range []string{"*.graphql", "*.json"} {
				if found, _ := filepath.Glob(filepath.Join(dir, pattern)); len(found) > 0 {
					args = append(args, filepath.Join(dir, pattern))
				}
			}
			r := runs(t, args...)
			if r.code != 2 || !strings.Contains(lineWith(r.out, "Good"), "accepted") || strings.Count(r.stderr, "\n") != test.told {
				t.Errorf("exit %d, %d lines:\n%s%s", r.code, strings.Count(r.stderr, "\n"), r.out, r.stderr)
			}
			for _, want := range test.want {
				if !strings.Contains(r.stderr, want) {
					t.Errorf("lacks %q:\n%s", want, r.stderr)
				}
			}
		})
	}
}

// What is unusual and right is priced: a byte order mark, a file named twice or with
// the letters of a pattern, fragments of one name that are each for their own file.
func TestCostOfUnusualFiles(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"[id].graphql": "\xef\xbb\xbfquery Marked { viewer { role } }",
		"mark.json":    "\xef\xbb\xbf{\"1\": \"query MarkedToo { viewer { role } }\"}",
		"a.graphql":    "query A { viewer { ...F } } fragment F on Viewer { role }",
		"b.graphql":    "query B { viewer { ...F } } fragment F on Viewer { user { id } }",
	})
	in := func(name string) string { return filepath.Join(dir, name) }
	r := runs(t, "cost", "--json", in("[id].graphql"), in("mark.json"), in("?.graphql"), in("a.graphql"), in("*.json"))
	var lines []costLine
	if err := json.Unmarshal([]byte(r.out), &lines); err != nil || r.code != 0 {
		t.Fatalf("exit %d, %v: %s%s", r.code, err, r.out, r.stderr)
	}
	var names []string
	for _, l := range lines {
		names = append(names, l.Operation)
	}
	if got := strings.Join(names, " "); got != "Marked MarkedToo A B" || lines[1].ID != "1" || lines[2].ID != "" {
		t.Errorf("priced %s, %+v", got, lines)
	}
}

// A document that no manifest holds is sent as text, within the limits of those.
func TestCostKnowsWhatIsTrusted(t *testing.T) {
	large := "query Large { viewer { " + strings.Repeat("role ", 1100) + "} }"
	manifest, _ := json.Marshal(map[string]string{"1": large})
	dir := writeFiles(t, map[string]string{"large.graphql": large, "large.json": string(manifest)})
	if r := runs(t, "cost", filepath.Join(dir, "large.graphql")); r.code != 1 || !strings.Contains(r.out, "tokens") {
		t.Errorf("as text: exit %d, %s%s", r.code, r.out, r.stderr)
	}
	if r := runs(t, "cost", filepath.Join(dir, "large.json")); r.code != 0 {
		t.Errorf("in a manifest: exit %d, %s%s", r.code, r.out, r.stderr)
	}
}

// A schema of somebody else may have our scalars' names for its own forms.
func TestCostOfForeignScalars(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"day.graphql": `query Day($d: Date!) { day(date: "1.2.2025") due(date: $d) }`,
		"vars.json":   `{"d": "today"}`,
		"other.sdl":   `scalar Date type Query { day(date: Date): Int due(date: Date): Int }`,
	})
	in := func(name string) string { return filepath.Join(dir, name) }
	if r := runs(t, "cost", in("day.graphql"), "--vars", in("vars.json"), "--schema", in("other.sdl")); r.code != 0 {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.stderr)
	}
}

// What is no schema is named for what it is.
func TestCostOfNoSchema(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"a.graphql": "{ viewer { role } }", "empty.sdl": "\n", "page.sdl": "<!doctype html>\n<title>Sign in</title>",
		"introspection.json": `{"data": {"__schema": {}}}`, "broken.sdl": "type Query {",
	})
	in := func(name string) string { return filepath.Join(dir, name) }
	served := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/login":
			_, _ = w.Write([]byte("<html>Who are you?</html>"))
		case "/app":
			http.Redirect(w, r, "/login", http.StatusFound)
		case "/zeros":
			_, _ = w.Write([]byte{0, 1, 2})
		default:
			http.Error(w, "no", http.StatusBadRequest)
		}
	}))
	defer served.Close()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for place, want := range map[string]string{
		in("empty.sdl"): "empty.sdl is empty", in("page.sdl"): "is a page for people (HTML)", in("introspection.json"): "is JSON, which cannot hold @cost",
		in("broken.sdl"): "broken.sdl: read the schema", dir: "is a folder", in("none.sdl"): "no such file",
		served.URL + "/app": "does the address want a login?", served.URL + "/zeros": "is no text",
		strings.TrimPrefix(served.URL, "http://"): "an address begins with http://",
		served.URL + "/graphql":                   "answers 400 Bad Request; a headroom server has its schema at /schema.graphql", closed.URL: "connection refused",
	} {
		if r := runs(t, "cost", in("a.graphql"), "--schema", place); r.code != 2 || r.out != "" || !strings.Contains(r.stderr, want) {
			t.Errorf("%s: exit %d, %s%s, want %q", place, r.code, r.out, r.stderr, want)
		}
	}
}

// The table's points are those of the message, and of --json.
func TestCostRoundsOneWay(t *testing.T) {
	dir := writeFiles(t, map[string]string{"flag.graphql": `query Flag { projects(first: 5) { nodes { id } } timesheetReport(input: {groupBy: [TASK], period:{from:"2025-01-01",to:"2025-01-31"}, maxRows: 1}) { totals { seconds } } }`})
	r := runs(t, "cost", filepath.Join(dir, "flag.graphql"), "--budget", "1")
	if r.code != 1 || !strings.Contains(r.out, "60.53 ") || !strings.Contains(r.out, "need 60.53 points") {
		t.Errorf("exit %d: %s", r.code, r.out)
	}
	if r := runs(t, "cost", filepath.Join(dir, "flag.graphql"), "--budget", "1", "--json"); !strings.Contains(r.out, `"points": 60.53,`) {
		t.Errorf("as JSON: %s", r.out)
	}
}
