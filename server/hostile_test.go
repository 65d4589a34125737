package server

import (
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"headroom/proof"
)

// hostile are documents made to cost much and say little. code is the refusal
// they draw; "" for those that are answered.
func hostile() map[string]struct{ body, code string } {
	quoted := func(query string) string { return `{"query":` + strconv.Quote(query) + `}` }
	doubling := func(n int) string {
		var b strings.Builder
		b.WriteString("{ viewer { ...F0 } } ")
		for i := range n {
			fmt.Fprintf(&b, "fragment F%d on Viewer { ...F%d ...F%d } ", i, i+1, i+1)
		}
		fmt.Fprintf(&b, "fragment F%d on Viewer { role }", n)
		return b.String()
	}
	aliased := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "a%d:role ", i)
		}
		return "{ viewer { " + b.String() + "} }"
	}
	cycle := "{ viewer { ...A } } fragment A on Viewer { ...B } fragment B on Viewer { ...A }"
	deep := strings.Repeat("{ viewer ", 5000) + strings.Repeat("}", 5000)
	return map[string]struct{ body, code string }{
		"fragments that double, 24 levels": {quoted(doubling(24)), codeDocumentLimit},
		"fragments that double, 49 levels": {quoted(doubling(48)), codeDocumentLimit},
		"fragments in a circle":            {quoted(cycle), codeValidationFailed},
		"900 repeated fields":              {quoted("{ viewer { " + strings.Repeat("role ", 900) + "} }"), ""},
		"5,000 repeated fields":            {quoted("{ viewer { " + strings.Repeat("x ", 5000) + "} }"), codeDocumentLimit},
		"300 aliased fields":               {quoted(aliased(300)), codeDocumentLimit},
		"1,400 aliased fields":             {quoted(aliased(1400)), codeDocumentLimit},
		"a comment of 5 MB":                {quoted("{ viewer { role } } #" + strings.Repeat("x", 5<<20)), codeTooLarge},
		"a comment of 16 KB":               {quoted("{ viewer { role } } #" + strings.Repeat("x", maxQuery-30)), ""},
		"5,000 unknown directives":         {quoted("{ viewer { role " + strings.Repeat("@a", 5000) + " } }"), codeDocumentLimit},
		"400 unknown directives":           {quoted("{ viewer { role " + strings.Repeat("@a", 400) + " } }"), codeDocumentLimit},
		"nested 5,000 deep":                {quoted(deep[:maxQuery-1]), codeDocumentLimit},
		"JSON nested 10,000 deep":          {`{"query":"{ viewer { role } }","variables":{"x":` + strings.Repeat(`{"x":`, 10_000) + "1" + strings.Repeat("}", 10_001) + `}`, codeBadRequest},
		"invalid UTF-8":                    {"{\"query\":\"{ viewer { role } } # \xc3\x28\"}", codeBadRequest},
		"400 unknown fields":               {quoted("{ viewer { " + strings.Repeat("nothing ", 400) + "} }"), codeValidationFailed},
		"a variable of 190 KB":             {`{"query":"query($x: String) { projects(first: 1, filter: {text: $x}) { nodes { id } } }","variables":{"x":"` + strings.Repeat("x", 190<<10) + `"}}`, codeBadUserInput},
		"400 inline fragments":             {quoted("{ viewer { " + strings.Repeat("...{role} ", 190) + "} }"), ""},
		"first: 2147483647":                {quoted("{ projects(first: 2147483647) { nodes { tasks(first: 2147483647) { nodes { id } } } } }"), codeTooExpensive},
		"a block string of quotes":         {quoted(`{ projects(first: 1, filter: {text: """` + strings.Repeat(`\"""`, 1000) + `"""}) { nodes { id } } }`), codeBadUserInput},
		"a list of 90,000 numbers":         {`{"query":"query($x: [ID!]!) { nodes(ids: $x) { id } }","variables":{"x":[1` + strings.Repeat(",1", 90_000) + `]}}`, codeTooLarge},
		"a list of 4,900 ids":              {`{"query":"query($x: [ID!]!) { nodes(ids: $x) { id } }","variables":{"x":["a"` + strings.Repeat(`,"a"`, 4_900) + `]}}`, codeBadUserInput},
		"introspection in a circle":        {quoted("{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }"), codeValidationFailed},
		"20 root fields of the largest page": {quoted("{ " + func() string {
			var b strings.Builder
			for i := range 20 {
				fmt.Fprintf(&b, "a%d: auditLog(first: 100) { nodes { id } } ", i)
			}
			return b.String()
		}() + "}"), ""},
	}
}

// resources skips what bounds processor and memory where the race detector,
// with which -short goes, multiplies both.
func resources(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("bounds of CPU and memory are checked without -short")
	}
}

func cpu(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Each hostile document is refused or answered within 20 ms of CPU, the
// client's share included: the worst of five means of 20 requests.
func TestHostileDocuments(t *testing.T) {
	resources(t)
	proof.Declare(t)
	r := newRig(t, func(c *Config) { c.User, c.Tenant = budget(1e7, 1e6), budget(1e7, 1e6) })
	for name, doc := range hostile() {
		t.Run(name, func(t *testing.T) {
			r.t = t
			a := r.must(call{body: doc.body, token: r.token, accept: mediaGraphQL})
			if a.code() != doc.code {
				t.Fatalf("code %q, want %q: %.300s", a.code(), doc.code, a.raw)
			}
			if doc.code != "" && doc.code != codeBadUserInput && a.status < 400 {
				t.Errorf("status %d for %s", a.status, doc.code)
			}
			if len(a.raw) > 8<<10 && doc.code != "" {
				t.Errorf("the refusal has %d bytes", len(a.raw))
			}
			var worst time.Duration
			for i := range 5 {
				before := cpu(t)
				for j := range 20 {
					body := doc.body
					if i > 0 { // not from the cache either
						body = strings.Replace(body, "viewer {", fmt.Sprintf("viewer { b%d%d: role ", i, j), 1)
					}
					r.must(call{body: body, token: r.token, accept: mediaGraphQL})
				}
				worst = max(worst, (cpu(t)-before)/20)
			}
			if worst > 20*time.Millisecond {
				t.Errorf("%s of CPU a request, want at most 20 ms", worst)
			}
			proof.Result(t, "%s of CPU a request", worst.Round(10*time.Microsecond))
		})
	}
}

// A client that sends nothing but documents to refuse is throttled, and then
// takes at most a sixth of a core, a tenth on a machine of its own.
func TestHostileClientIsThrottled(t *testing.T) {
	resources(t)
	proof.Declare(t)
	r := newRig(t, func(c *Config) { c.User = budget(20, 100) })
	body := `{"query":` + strconv.Quote("{ viewer { "+strings.Repeat("nothing ", 400)+"} }") + `}`
	send := func(i int) answer {
		return r.must(call{body: strings.Replace(body, "nothing", "nothing"+strconv.Itoa(i), 1), token: r.token, accept: mediaGraphQL})
	}
	n := 0
	for ; send(n).code() != codeThrottled; n++ {
		if n > 2000 {
			t.Fatal("2,000 hostile documents were not throttled")
		}
	}
	throttledAt := n
	began, before := time.Now(), cpu(t)
	for time.Since(began) < 2*time.Second {
		n++
		send(n)
	}
	used, passed := cpu(t)-before, time.Since(began)
	proof.Result(t, "throttled after %d documents, the client takes %.1f %% of a core", throttledAt, 100*used.Seconds()/passed.Seconds())
	if used > passed/6 { // a tenth where nobody else uses the processor's caches
		t.Errorf("a throttled client takes %s of CPU in %s, want at most a sixth", used, passed)
	}
	if a := r.must(call{query: `{ viewer { role } }`, token: r.token}); a.status != http.StatusTooManyRequests && a.status != http.StatusOK {
		t.Errorf("status %d: %s", a.status, a.raw)
	}
}

// The document cache is bounded by bytes: any number of distinct documents
// leave the process little larger.
func TestDistinctDocumentsDoNotFillMemory(t *testing.T) {
	resources(t)
	defer debug.SetGCPercent(debug.SetGCPercent(200)) // as serve has it
	r := newRig(t, func(c *Config) { c.User, c.Tenant = budget(1e7, 1e6), budget(1e7, 1e6) })
	var fields strings.Builder
	for i := range 25 {
		fmt.Fprintf(&fields, "a%d: user { id name email role } ", i)
	}
	r.must(call{query: "{ viewer { role } }", token: r.token})
	before := resident(t)
	documents := proof.Size(t, 10_000, 1500) // 1,500 are thrice what the cache holds
	for i := range documents {
		a := r.must(call{query: fmt.Sprintf("query Q%d { viewer { %s } }", i, fields.String()), token: r.token})
		if a.code() != "" {
			t.Fatalf("document %d: %s", i, a.raw)
		}
	}
	grown := resident(t) - before
	proof.Result(t, "RSS has grown by %d MiB over %d documents", grown>>20, documents)
	if grown > 128<<20 {
		t.Errorf("RSS has grown by %d MiB over %d documents, want at most 128", grown>>20, documents)
	}
	entries, bytes := r.server.documents.held()
	if bytes > cacheBytes {
		t.Errorf("the cache holds %d documents of %d bytes, more than its %d", entries, bytes, cacheBytes)
	}
}

func resident(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("no /proc/self/statm on this system: RSS cannot be read")
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// costly are documents that the form allows and whose price is dear to find: they
// come as far as the cost stage. size is about that of each.
func costly() map[string]string {
	repeat := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, strings.ReplaceAll(format, "#", "%[1]d"), i)
		}
		return b.String()
	}
	layers := func(n int) string {
		var b strings.Builder
		b.WriteString("{ projects(first: 2) { nodes { ...F0 } } } ")
		for i := range n {
			fmt.Fprintf(&b, "fragment F%d on Project { name ...F%d } ", i, i+1)
		}
		fmt.Fprintf(&b, "fragment F%d on Project { id }", n)
		return b.String()
	}
	return map[string]string{
		"20 lists below lists":         "{ " + repeat(20, "a#: projects(first: 100) { nodes { tasks(first: 100) { nodes { id } } } } ") + "}",
		"20 reports over 200 years":    "{ " + repeat(20, `a#: timesheetReport(input: {period: {from: "1900-01-01", to: "2099-12-31"}, groupBy: [TASK, USER], maxRows: 10000}) { rows { key } } `) + "}",
		"20 pages by a text":           "{ " + repeat(20, `a#: timeEntries(first: 100, filter: {text: "zeppelin #"}) { totalCount nodes { id } } `) + "}",
		"conditions of 10 variables":   "query(" + repeat(10, "$v#: Boolean = true ") + ") { " + repeat(10, "projects(first: 2) @include(if: $v#) { nodes { id name } } ") + "}",
		"48 layers of fragments":       layers(47),
		"a list of 100 ids in filters": `{ timeEntries(first: 100, filter: {projectIds: [` + strings.Repeat(`"UHJvamVjdDo3",`, 100) + `]}) { nodes { id } } }`,
	}
}

// The price of a document costs at most twelve times the processor of a plain
// document of the same size, whatever it holds: suggestions included, which try
// other values by pricing again. Its sender's budget pays each millisecond.
func TestHostilePrices(t *testing.T) {
	resources(t)
	proof.Declare(t)
	r := newRig(t, func(c *Config) { c.User, c.Tenant = budget(1e9, 1e8), budget(1e9, 1e8); c.Statistics = true })
	r.server.statistics.of(r.owner.Workspace.ID)
	r.server.statistics.keep(r.owner.Workspace.ID, company(), time.Now())
	perPreview := func(query string) time.Duration {
		least := time.Hour // what other programs do to the caches only adds
		for i := range 3 {
			before := cpu(t)
			for j := range 20 { // a comment makes it another document
				body := `{"query":` + strconv.Quote(fmt.Sprintf("# %d %d\n%s", i, j, query)) + `}`
				if a := r.must(call{path: pathCost, body: body, token: r.token}); a.status != http.StatusOK {
					t.Fatalf("status %d: %.300s", a.status, a.raw)
				}
			}
			least = min(least, (cpu(t)-before)/20)
		}
		return least
	}
	for name, query := range costly() {
		t.Run(name, func(t *testing.T) {
			r.t = t
			plain := "{ projects(first: 2) { nodes { id "
			for i := 0; len(plain) < len(query) && i < 400; i++ {
				plain += "name color code "
			}
			plain += "} } }"
			took, ordinary := perPreview(query), perPreview(plain)
			proof.Result(t, "%s of CPU a preview of %d bytes, %.1f times a plain document's", took.Round(10*time.Microsecond), len(query), took.Seconds()/ordinary.Seconds())
			if most := max(12*ordinary, 2*time.Millisecond); took > most {
				t.Errorf("%s of CPU a preview, %s for a plain document of the same size", took, ordinary)
			}
		})
	}
}
