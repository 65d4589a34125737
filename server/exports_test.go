package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

func httpGet(t *testing.T, h http.Handler, url string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, url, nil))
	return w
}

// exportRig is a rig whose exports lie in a folder of the test's own.
func exportRig(t *testing.T, db *store.Store, change func(*Config)) *rig {
	t.Helper()
	folder, err := OpenExportFolder(t.TempDir(), []byte("a secret of the tests"), 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return rigOn(t, db, func(c *Config) {
		c.Exports.Folder = folder
		c.User, c.Tenant = budget(1e6, 1e5), budget(1e6, 1e5)
		if change != nil {
			change(c)
		}
	})
}

// work starts the server's exports, as Serve does.
func (r *rig) work() {
	r.t.Helper()
	r.t.Cleanup(r.server.startExports(r.t.Context()))
}

const (
	exportFields = `reportExport { id status rows bytes sha256 url failure expiresAt } userErrors { code field }`
	everything   = `period: {from: "2020-01-01", to: "2030-12-31"}`
)

type reportExport struct {
	id, url, status, sha256, failure string
	rows, bytes                      float64
}

func exportOf(a answer) (x reportExport) {
	if m, ok := find(a.Data, "reportExport").(map[string]any); ok {
		x.id, _ = m["id"].(string)
		x.url, _ = m["url"].(string)
		x.status, _ = m["status"].(string)
		x.sha256, _ = m["sha256"].(string)
		x.failure, _ = m["failure"].(string)
		x.rows, _ = m["rows"].(float64)
		x.bytes, _ = m["bytes"].(float64)
	}
	return x
}

func (r *rig) asks(token, query string) answer {
	r.t.Helper()
	a := r.must(call{query: query, token: token, accept: mediaGraphQL})
	if a.status != http.StatusOK || len(a.Errors) > 0 {
		r.t.Fatalf("%s: status %d, %s", query, a.status, a.raw)
	}
	return a
}

// export asks for one.
func (r *rig) export(token, input string) reportExport {
	r.t.Helper()
	a := r.asks(token, `mutation { reportExportCreate(input: {`+everything+` `+input+`}) { `+exportFields+` } }`)
	x := exportOf(a)
	if x.id == "" {
		r.t.Fatalf("no export: %s", a.raw)
	}
	return x
}

func (r *rig) exportNow(token, id string) reportExport {
	r.t.Helper()
	return exportOf(r.asks(token, fmt.Sprintf(`{ reportExport(id: %q) { id status rows bytes sha256 url failure expiresAt } }`, id)))
}

// ended waits until an export has ended.
func (r *rig) ended(token, id string) reportExport {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 2*time.Minute)
	defer cancel()
	for {
		x := r.exportNow(token, id)
		if x.status != "QUEUED" && x.status != "RUNNING" {
			return x
		}
		select {
		case <-ctx.Done():
			r.t.Fatalf("the export is %s after two minutes", x.status)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// fetched is the answer to a link.
type fetched struct {
	status int
	header http.Header
	body   []byte
}

func (r *rig) fetch(method, url string, header map[string]string) fetched {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.http.URL+url, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	resp, err := r.http.Client().Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return fetched{resp.StatusCode, resp.Header, body}
}

// wantRefused wants a status with a code in JSON.
func (r *rig) wantRefused(name, url string, status int, code string) fetched {
	r.t.Helper()
	got := r.fetch(http.MethodGet, url, nil)
	if got.status != status || !bytes.Contains(got.body, []byte(`"code":"`+code+`"`)) || !strings.HasPrefix(got.header.Get("Content-Type"), mediaJSON) {
		r.t.Errorf("%s: status %d, %s, %s; want %d %s", name, got.status, got.header.Get("Content-Type"), got.body, status, code)
	}
	return got
}

// load fills a workspace with n entries and returns its owner and their token.
func (r *rig) load(n int) (timesheet.Viewer, string) {
	r.t.Helper()
	owner, _, err := r.store.LoadCompany(r.t.Context(), manyEntries(n), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return owner, r.mint(owner, owner.User, timesheet.ScopeWrite)
}

func manyEntries(n int) timesheet.Company {
	start := time.Date(2021, time.March, 1, 6, 0, 0, 0, time.UTC)
	return timesheet.Company{
		Name: "Many", TimeZone: "Europe/Bucharest", WeekStart: time.Monday, Currency: "EUR",
		Users:    []timesheet.CompanyUser{{Name: "Maria", Email: "maria@many.example", Role: timesheet.RoleOwner}},
		Clients:  []string{"=cmd|' /C calc'!A0"},
		Projects: []timesheet.CompanyProject{{Name: "-Internal", Client: 0, Lead: -1}},
		Tasks:    []timesheet.CompanyTask{{Project: 0, Name: "Write, read"}},
		Tags:     []string{"@home"},
		Rates:    []timesheet.CompanyRate{{Kind: timesheet.RateBill, User: -1, Project: -1, Minor: 4999}},
		Entries: func(yield func(timesheet.CompanyEntry) bool) {
			for i := range n {
				e := timesheet.CompanyEntry{
					Start: start.Add(time.Duration(i) * time.Minute), Seconds: int64(i%3600) + 1, Tags: []int{0}, Billable: i%2 == 0,
					Description: fmt.Sprintf("entry %d: %s", i, strings.Repeat("lorem ipsum ", 10)),
				}
				if !yield(e) {
					return
				}
			}
		},
	}
}

// A file is what its description says, can be fetched in parts, and is not
// sent again to who has it.
func TestExportIsDownloaded(t *testing.T) {
	r := exportRig(t, storetest.Open(t), nil)
	_, token := r.load(5000)
	r.work()
	x := r.ended(token, r.export(token, "").id)
	if x.status != "READY" || x.rows != 5000 {
		t.Fatalf("the export is %+v, want 5000 rows", x)
	}
	whole := r.fetch(http.MethodGet, x.url, nil)
	sum := sha256.Sum256(whole.body)
	if whole.status != http.StatusOK || float64(len(whole.body)) != x.bytes || hex.EncodeToString(sum[:]) != x.sha256 {
		t.Fatalf("status %d, %d bytes with sum %x; want %v with %s", whole.status, len(whole.body), sum, x.bytes, x.sha256)
	}
	rows, err := csv.NewReader(bytes.NewReader(whole.body)).ReadAll()
	if err != nil || len(rows) != 5001 {
		t.Errorf("%d lines, %v; want a header and 5000 rows", len(rows), err)
	}
	etag := whole.header.Get("ETag")
	if etag != `"`+x.sha256+`"` || whole.header.Get("Accept-Ranges") != "bytes" || !strings.HasPrefix(whole.header.Get("Content-Type"), "text/csv") ||
		!strings.Contains(whole.header.Get("Content-Disposition"), ".csv") {
		t.Errorf("headers %v", whole.header)
	}
	t.Run("resumed", func(t *testing.T) {
		var pieces []byte
		for from, size := 0, 1; from < len(whole.body); from, size = from+size, size*3 {
			part := r.fetch(http.MethodGet, x.url, map[string]string{"Range": fmt.Sprintf("bytes=%d-%d", from, from+size-1), "If-Range": etag})
			if part.status != http.StatusPartialContent {
				t.Fatalf("a part from %d: status %d", from, part.status)
			}
			pieces = append(pieces, part.body...)
		}
		if !bytes.Equal(pieces, whole.body) {
			t.Error("the parts are not the file")
		}
		if other := r.fetch(http.MethodGet, x.url, map[string]string{"Range": "bytes=10-", "If-Range": `"another"`}); other.status != http.StatusOK || !bytes.Equal(other.body, whole.body) {
			t.Errorf("a part of another file: status %d", other.status)
		}
	})
	t.Run("conditions", func(t *testing.T) {
		if same := r.fetch(http.MethodGet, x.url, map[string]string{"If-None-Match": etag}); same.status != http.StatusNotModified || len(same.body) > 0 {
			t.Errorf("who has the file gets status %d and %d bytes", same.status, len(same.body))
		}
		if head := r.fetch(http.MethodHead, x.url, nil); head.status != http.StatusOK || head.header.Get("Content-Length") != fmt.Sprint(len(whole.body)) {
			t.Errorf("HEAD: status %d, length %s", head.status, head.header.Get("Content-Length"))
		}
		beyond := r.fetch(http.MethodGet, x.url, map[string]string{"Range": "bytes=99999999-"})
		if beyond.status != http.StatusRequestedRangeNotSatisfiable || !bytes.Contains(beyond.body, []byte(codeBadRequest)) {
			t.Errorf("a range beyond the end: status %d, %s", beyond.status, beyond.body)
		}
	})
	t.Run("ranges", func(t *testing.T) {
		for wanted, status := range map[string]int{
			"bytes=0-99999999999999999999": http.StatusPartialContent, "bytes=-99999999999999999999": http.StatusPartialContent,
			"lines=0-9": http.StatusOK, "bytes": http.StatusOK, "bytes=99999999999999999999-": http.StatusRequestedRangeNotSatisfiable,
		} {
			got := r.fetch(http.MethodGet, x.url, map[string]string{"Range": wanted})
			if got.status != status || status != http.StatusRequestedRangeNotSatisfiable && !bytes.Equal(got.body, whole.body) {
				t.Errorf("%s: status %d, %d bytes; want %d", wanted, got.status, len(got.body), status)
			}
		}
	})
	t.Run("JSON Lines", func(t *testing.T) {
		lines := r.ended(token, r.export(token, "format: JSONL").id)
		if got := r.fetch(http.MethodGet, lines.url, nil); bytes.Count(got.body, []byte("\n")) != 5000 || !strings.Contains(got.header.Get("Content-Type"), "ndjson") {
			t.Errorf("%d lines of %s", bytes.Count(got.body, []byte("\n")), got.header.Get("Content-Type"))
		}
	})
	t.Run("leaves", func(t *testing.T) {
		leaves := r.ended(token, r.export(token, "groupBy: [CLIENT, MONTH]").id)
		if got := r.fetch(http.MethodGet, leaves.url, nil); !bytes.HasPrefix(got.body, []byte("client,month,entries,")) || leaves.rows == 0 {
			t.Errorf("%v rows: %.100s", leaves.rows, got.body)
		}
	})
}

// Until the file is there its link says when to ask again, and afterwards that
// it is gone.
func TestExportLinksInTime(t *testing.T) {
	now := time.Now()
	r := exportRig(t, storetest.Open(t), func(c *Config) { c.Now = func() time.Time { return now } })
	waiting := r.export(r.token, "")
	early := r.wantRefused("a queued export", waiting.url, http.StatusConflict, codeNotReady)
	if early.header.Get("Retry-After") == "" || !bytes.Contains(early.body, []byte(`"retryAfterMs":`)) {
		t.Errorf("it does not say when to ask again: %v, %s", early.header, early.body)
	}
	r.asks(r.token, fmt.Sprintf(`mutation { reportExportCancel(input: {id: %q}) { %s } }`, waiting.id, exportFields))
	r.wantRefused("a cancelled export", waiting.url, http.StatusGone, codeGone)
	r.work()
	x := r.ended(r.token, r.export(r.token, "").id)
	if got := r.fetch(http.MethodGet, x.url, nil); got.status != http.StatusOK {
		t.Fatalf("status %d", got.status)
	}
	now = now.Add(25 * time.Hour)
	r.wantRefused("an expired link", x.url, http.StatusGone, codeGone)
	now = now.Add(-25 * time.Hour)
	r.asks(r.token, fmt.Sprintf(`mutation { reportExportCancel(input: {id: %q}) { %s } }`, x.id, exportFields))
	r.wantRefused("a deleted file", x.url, http.StatusGone, codeGone)
	if again := r.exportNow(r.token, x.id); again.status != "CANCELED" || again.url != "" {
		t.Errorf("the export is %+v", again)
	}
}

// A link is good for one file until one moment, and nothing about it can be
// changed; without a good one nobody learns what there is.
func TestExportLinksAreSigned(t *testing.T) {
	dsn := storetest.New(t)
	r := exportRig(t, openDSN(t, dsn), nil)
	r.work()
	victim := r.ended(r.token, r.export(r.token, "").id)
	intruder, err := r.store.CreateWorkspace(t.Context(), store.NewWorkspace{
		Name: "Intruders", TimeZone: "UTC", WeekStart: time.Monday, Currency: "EUR",
		Owner: store.Person{Name: "Ivan", Email: "ivan@intruders.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	token := r.mint(intruder, intruder.User, timesheet.ScopeWrite)
	own := r.ended(token, r.export(token, "").id)
	path, query, _ := strings.Cut(victim.url, "?")
	_, ownQuery, _ := strings.Cut(own.url, "?")
	expires, signature, _ := strings.Cut(query, "&")
	for name, url := range map[string]string{
		"no signature":              path + "?" + expires,
		"nothing":                   path,
		"another's signature":       path + "?" + ownQuery,
		"a longer life":             path + "?expires=99999999999&" + signature,
		"one letter less":           strings.TrimSuffix(victim.url, victim.url[len(victim.url)-1:]),
		"another number":            "/exports/UmVwb3J0RXhwb3J0OjE?" + query,
		"a token for a signature":   path + "?" + expires + "&signature=" + token,
		"no number":                 "/exports/x?" + query,
		"a signature of a kilobyte": path + "?" + expires + "&signature=" + strings.Repeat("x", 1000),
	} {
		r.wantRefused(name, url, http.StatusForbidden, codeForbidden)
	}
	if x := r.exportNow(token, victim.id); x.id != "" {
		t.Errorf("another workspace sees the export: %+v", x)
	}
	if got := r.fetch(http.MethodGet, victim.url, nil); got.status != http.StatusOK {
		t.Errorf("the link itself: status %d", got.status)
	}
	// The link lives as long as its maker may see what is in the file, and belongs
	// to the workspace.
	if _, err := observe(t, dsn).db.Exec(`UPDATE membership SET role = 'MEMBER' WHERE workspace_id = $1`, r.owner.Workspace.ID); err != nil {
		t.Fatal(err)
	}
	until(t, "the role to be heard", 30*time.Second, func() bool { return r.fetch(http.MethodGet, victim.url, nil).status == http.StatusForbidden })
	r.wantRefused("who made it sees less by now", victim.url, http.StatusForbidden, codeForbidden)
	if _, err := observe(t, dsn).db.Exec(`UPDATE membership SET deleted_at = now() WHERE workspace_id = $1`, r.owner.Workspace.ID); err != nil {
		t.Fatal(err)
	}
	until(t, "the removal to be heard", 30*time.Second, func() bool { return r.fetch(http.MethodGet, victim.url, nil).status == http.StatusNotFound })
	r.wantRefused("who made it has left", victim.url, http.StatusNotFound, codeNotFound)
}

// Owners see whose exports there are, and get no link to another's file.
func TestExportOfAnotherPerson(t *testing.T) {
	r := exportRig(t, storetest.Open(t), nil)
	mia, err := r.store.EnsureMember(t.Context(), r.owner, "Mia", "mia@acme.example", timesheet.RoleMember)
	if err != nil {
		t.Fatal(err)
	}
	token := r.mint(r.owner, mia.ID, timesheet.ScopeWrite)
	x := r.export(token, "")
	if seen := r.exportNow(r.token, x.id); x.url == "" || seen.id != x.id || seen.url != "" {
		t.Errorf("the owner sees %+v of %+v", seen, x)
	}
	const all = `{ reportExports(first: 5, everybody: true) { nodes { user { name } url } } }`
	if a := r.asks(r.token, all); !strings.Contains(a.raw, `{"user":{"name":"Mia"},"url":null}`) {
		t.Errorf("the owner lists %s", a.raw)
	}
	if a := r.must(call{query: all, token: token, accept: mediaGraphQL}); !strings.Contains(a.raw, `"FORBIDDEN"`) || strings.Contains(a.raw, "Mia") {
		t.Errorf("a member lists %s", a.raw)
	}
}

// Another process's file is told apart from one that is gone.
func TestExportOfAnotherServer(t *testing.T) {
	dsn := storetest.New(t)
	one := exportRig(t, openDSN(t, dsn), nil)
	one.work()
	x := one.ended(one.token, one.export(one.token, "").id)
	folder, err := OpenExportFolder(t.TempDir(), []byte("a secret of the tests"), 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		folder *ExportFolder
		status int
	}{{folder, http.StatusMisdirectedRequest}, {nil, http.StatusMisdirectedRequest}, {one.server.exports.Folder, http.StatusOK}} {
		c := Config{Store: openDSN(t, dsn), Secret: []byte("a secret of the tests"), Log: one.server.log, Exports: ExportConfig{Folder: test.folder}}
		other, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		got := httpGet(t, other.Handler(), x.url)
		if got.Code != test.status || test.status != http.StatusOK && !strings.Contains(got.Body.String(), codeElsewhere) {
			t.Errorf("status %d, %s; want %d", got.Code, got.Body, test.status)
		}
	}
}

func filesIn(t *testing.T, f *ExportFolder) (names []string) {
	t.Helper()
	files, err := f.files()
	if err != nil {
		t.Fatal(err)
	}
	for path := range files {
		names = append(names, filepath.Base(path))
	}
	return names
}

// A cancelled export leaves neither a file nor a connection behind.
func TestExportIsCancelledMidway(t *testing.T) {
	r := exportRig(t, storetest.Open(t), nil)
	owner, token := r.load(5000)
	x := r.export(token, "")
	e := r.server.exports
	run, err := r.store.StartExport(t.Context(), e.Folder.name)
	if err != nil || run == nil {
		t.Fatal(run, err)
	}
	if _, _, err := r.store.CancelExport(t.Context(), owner, run.ID, store.Change{Action: "reportExportCancel"}); err != nil {
		t.Fatal(err)
	}
	e.write(t.Context(), run)
	if run.Rows == 0 || run.Rows >= 5000 {
		t.Errorf("it was cancelled after %d rows, want some and not all", run.Rows)
	}
	if got := r.exportNow(token, x.id); got.status != "CANCELED" {
		t.Errorf("the export is %s", got.status)
	}
	if left := filesIn(t, e.Folder); len(left) > 0 || e.Folder.held.Load() != 0 {
		t.Errorf("the files %v are left, %d bytes", left, e.Folder.held.Load())
	}
	for _, p := range r.store.Stats() {
		if p.Busy > 0 {
			t.Errorf("%d connections of %s are held", p.Busy, p.Class)
		}
	}
}

// Files of a killed server, of expired and of unknown exports are deleted; what
// is not ours stays.
func TestExportFolderIsSwept(t *testing.T) {
	dsn := storetest.New(t)
	r := exportRig(t, openDSN(t, dsn), nil)
	e := r.server.exports
	strangers := filepath.Join(e.Folder.dir, "notes.txt")
	for _, path := range []string{strangers, e.Folder.path(12345), e.Folder.path(777) + ".abc" + partSuffix} {
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	x := r.export(r.token, "")
	e.work(t.Context())
	if err := e.tidyOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := filesIn(t, e.Folder); len(left) != 1 {
		t.Errorf("the files %v are left, want the export's alone", left)
	}
	if _, err := os.Stat(strangers); err != nil {
		t.Errorf("what is not ours: %v", err)
	}
	if _, err := observe(t, dsn).db.Exec(`UPDATE export_job SET expires_at = now()`); err != nil {
		t.Fatal(err)
	}
	if err := e.tidyOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := filesIn(t, e.Folder); len(left) > 0 || e.Folder.held.Load() != 0 {
		t.Errorf("after they have expired, the files %v are left, %d bytes", left, e.Folder.held.Load())
	}
	if got := r.exportNow(r.token, x.id); got.status != "EXPIRED" {
		t.Errorf("the export is %s", got.status)
	}
}

// A hundred wishes: one runs, five wait, the rest are refused with a code.
func TestExportsAskedForAHundredTimes(t *testing.T) {
	r := exportRig(t, storetest.Open(t), nil)
	codes := map[string]int{}
	for range 100 {
		a := r.asks(r.token, `mutation { reportExportCreate(input: {`+everything+`}) { `+exportFields+` } }`)
		code, _ := find(a.Data, "code").(string)
		codes[code]++
	}
	if codes[""] != 5 || codes["EXPORT_QUEUE_FULL"] != 95 {
		t.Errorf("the wishes got %v, want 5 queued and 95 EXPORT_QUEUE_FULL", codes)
	}
	r.work()
	until(t, "the queue to be worked off", 30*time.Second, func() bool {
		a := r.asks(r.token, `{ reportExports(first: 10) { nodes { status } totalCount } }`)
		return strings.Count(a.raw, "READY") == 5
	})
}

// Without a folder there are no exports, and the answer says so.
func TestExportsOff(t *testing.T) {
	r := newRig(t, nil)
	a := r.ask(`mutation { reportExportCreate(input: {`+everything+`}) { `+exportFields+` } }`, nil)
	if find(a.Data, "code") != "EXPORTS_OFF" {
		t.Errorf("the answer is %s", a.raw)
	}
}

// A report that is refused for its size says that it can be a file.
func TestReportTooLargeSuggestsExport(t *testing.T) {
	r := exportRig(t, storetest.Open(t), nil)
	query := `{ timesheetReport(input: {` + everything + ` groupBy: [DAY, USER, TASK], maxRows: 10000}) { rows { label totals { seconds } children { label children { label } } } } }`
	r.server.caps.Points = 100
	a := r.must(call{query: query, token: r.token, accept: mediaGraphQL})
	if a.code() != codeTooExpensive || !strings.Contains(a.raw, `{"kind":"USE_EXPORT","path":"timesheetReport","mutation":"reportExportCreate"}`) {
		t.Errorf("status %d, %s", a.status, a.raw)
	}
}
