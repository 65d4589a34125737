package loadtest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"testing"
	"time"
)

// asker is who asks in these tests.
var asker = &User{id: "u1", workspaceID: "w1"}

func TestClassify(t *testing.T) {
	op := &Operation{Name: "MyDay", Root: "myDay"}
	mayReject := &Operation{Name: "MyDay", Root: "myDay", Rejectable: true}
	nullable := &Operation{Name: "Running"}
	code := func(code string) string {
		return fmt.Sprintf(`{"errors":[{"message":"m","extensions":{"code":%q}}]}`, code)
	}
	const good = `{"data":{"myDay":{"day":"2026-03-02"}}}`
	tests := []struct {
		name   string
		op     *Operation
		status int
		retry  string
		body   string
		want   Outcome
	}{
		{"right", op, 200, "", good, OK},
		{"right, with extensions", op, 200, "", `{"data":{"myDay":{}},"extensions":{"cost":{}}}`, OK},
		{"empty list of errors", op, 200, "", `{"data":{"myDay":{}},"errors":[]}`, OK},
		{"nullable field is null", nullable, 200, "", `{"data":{"runningTimer":null}}`, OK},
		{"userErrors", op, 200, "", `{"data":{"myDay":{"userErrors":[{"code":"NOT_RUNNING"}]}}}`, OK},
		{"Retry-After on a right answer", op, 200, "5", good, OK},

		{"my own", op, 200, "", `{"data":{"viewer":{"user":{"id":"u1"},"workspace":{"id":"w1"}},"myDay":{}}}`, OK},
		{"another user's", op, 200, "", `{"data":{"viewer":{"user":{"id":"u2"},"workspace":{"id":"w1"}},"myDay":{}}}`, Failed},
		{"another workspace's", op, 200, "", `{"data":{"viewer":{"user":{"id":"u1"},"workspace":{"id":"w2"}},"myDay":{}}}`, Failed},

		{"overloaded", op, 503, "1", code("OVERLOADED"), Shed},
		{"overloaded, with a date", op, 503, "Mon, 02 Mar 2026 10:00:00 GMT", code("OVERLOADED"), Shed},
		{"database away", op, 503, "3", code("UNAVAILABLE"), Shed},
		{"read-only", op, 503, "3", code("READ_ONLY"), Shed},
		{"blocked", op, 503, "3", code("BLOCKED"), Shed},
		{"retry at once", op, 503, "0", code("OVERLOADED"), Shed},
		{"throttled", op, 429, "2", code("THROTTLED"), Throttled},

		{"shed without Retry-After", op, 503, "", code("OVERLOADED"), Failed},
		{"throttled without Retry-After", op, 429, "", code("THROTTLED"), Failed},
		{"Retry-After that is no time", op, 503, "soon", code("OVERLOADED"), Failed},
		{"negative Retry-After", op, 503, "-1", code("OVERLOADED"), Failed},
		{"fraction as Retry-After", op, 503, "1.5", code("OVERLOADED"), Failed},
		{"503 with a code not documented", op, 503, "1", code("BUSY"), Failed},
		{"503 without a code", op, 503, "1", `{"errors":[{"message":"busy"}]}`, Failed},
		{"503 of a balancer", op, 503, "1", `<html>busy</html>`, Failed},
		{"503 with an empty body", op, 503, "1", ``, Failed},
		{"code of another status", op, 429, "1", code("OVERLOADED"), Failed},
		{"overloaded, said with 200", op, 200, "1", code("OVERLOADED"), Failed},
		{"deadline before the start, with a time", op, 503, "2", code("DEADLINE_EXCEEDED"), Shed},
		{"deadline before the start", op, 503, "", code("DEADLINE_EXCEEDED"), Failed},
		{"deadline while running", op, 504, "", code("DEADLINE_EXCEEDED"), Failed},

		{"too expensive, not expected", op, 400, "", code("COST_ESTIMATED_TOO_EXPENSIVE"), Failed},
		{"too expensive, expected", mayReject, 400, "", code("COST_ESTIMATED_TOO_EXPENSIVE"), Rejected},
		{"invalid, expected", mayReject, 400, "", code("GRAPHQL_VALIDATION_FAILED"), Rejected},
		{"too large a document, expected", mayReject, 400, "", code("DOCUMENT_LIMIT_EXCEEDED"), Rejected},
		{"slicing, expected", mayReject, 400, "", code("COST_INVALID_SLICING_ARGUMENTS"), Rejected},
		{"rejection expected, but answered", mayReject, 200, "", good, OK},
		{"rejection expected, but internal", mayReject, 500, "", code("INTERNAL_SERVER_ERROR"), Failed},
		{"rejection expected, but shed", mayReject, 503, "1", code("OVERLOADED"), Shed},

		{"internal", op, 500, "", code("INTERNAL_SERVER_ERROR"), Failed},
		{"bad gateway", op, 502, "", `Bad Gateway`, Failed},
		{"unauthenticated", op, 401, "", code("UNAUTHENTICATED"), Failed},
		{"redirect", op, 302, "", ``, Failed},
		{"other 2xx", op, 202, "", good, Failed},
		{"500 with a right body", op, 500, "", good, Failed},
		{"200 with errors alone", op, 200, "", code("INTERNAL_SERVER_ERROR"), Failed},
		{"200 with data and errors", op, 200, "", `{"data":{"myDay":{}},"errors":[{"message":"half"}]}`, Failed},
		{"error without message and code", op, 200, "", `{"errors":[{}]}`, Failed},
		{"page of another product", op, 200, "", `<!DOCTYPE html><title>Sign in</title>`, Failed},
		{"JSON, but not GraphQL", op, 200, "", `{"status":"up"}`, Failed},
		{"JSON, but no object", op, 200, "", `[1,2]`, Failed},
		{"null", op, 200, "", `null`, Failed},
		{"nothing", op, 200, "", ``, Failed},
		{"cut short", op, 200, "", good[:20], Failed},
		{"data of another shape", op, 200, "", `{"data":[]}`, Failed},
		{"data is null", op, 200, "", `{"data":null}`, Failed},
		{"field is null", op, 200, "", `{"data":{"myDay":null}}`, Failed},
		{"field is missing", op, 200, "", `{"data":{"other":1}}`, Failed},
		{"userErrors in a list", op, 200, "", `{"data":{"myDay":[{"userErrors":[]}]}}`, Failed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			header := http.Header{}
			if tt.retry != "" {
				header.Set("Retry-After", tt.retry)
			}
			got := classify(&loaded{Operation: tt.op}, asker, answer{status: tt.status, header: header, body: []byte(tt.body)})
			if got.outcome != tt.want {
				t.Errorf("%s (%s), want %s", got.outcome, got.detail, tt.want)
			}
			if (got.detail == "") != (tt.want == OK) {
				t.Errorf("detail %q beside %s", got.detail, got.outcome)
			}
		})
	}
}

func TestClassifyErrors(t *testing.T) {
	op := func(err error) error {
		return &url.Error{Op: "Post", URL: "http://127.0.0.1", Err: &net.OpError{Op: "dial", Err: err}}
	}
	tests := []struct {
		name string
		err  error
		want Outcome
	}{
		{"refused", op(os.NewSyscallError("connect", syscall.ECONNREFUSED)), Connection},
		{"reset", op(os.NewSyscallError("read", syscall.ECONNRESET)), Connection},
		{"closed early", io.EOF, Connection},
		{"body cut short", errCutShort, Failed},
		{"deadline", context.DeadlineExceeded, Timeout},
		{"timeout of the network", op(os.ErrDeadlineExceeded), Timeout},
		{"run stopped", context.Canceled, Interrupted},
		{"no more files", op(os.NewSyscallError("socket", syscall.EMFILE)), GeneratorError},
		{"no more files on the machine", op(os.NewSyscallError("socket", syscall.ENFILE)), GeneratorError},
		{"no more ports", op(os.NewSyscallError("connect", syscall.EADDRNOTAVAIL)), GeneratorError},
		{"no more buffers", op(os.NewSyscallError("socket", syscall.ENOBUFS)), GeneratorError},
		{"not loopback", op(fmt.Errorf("dial: %w", errNotLoopback)), GeneratorError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := classify(&loaded{Operation: myDay}, asker, answer{err: tt.err}); got.outcome != tt.want {
				t.Errorf("%s, want %s", got.outcome, tt.want)
			}
		})
	}
}

func TestUserErrorsAreCounted(t *testing.T) {
	for body, want := range map[string]bool{
		`{"data":{"stopTimer":{"userErrors":[{"code":"NOT_RUNNING"}]}}}`: true,
		`{"data":{"stopTimer":{"userErrors":[]}}}`:                       false,
	} {
		if got := classify(&loaded{Operation: stop}, asker, answer{status: 200, body: []byte(body)}); got.refused != want {
			t.Errorf("%s: refused %t, want %t", body, got.refused, want)
		}
	}
}

// Two hundred answers made of every status, hint, code and body that a server
// and what stands before it may combine, judged by the rule in words: another's
// data fails, then a documented refusal with a hint is one, then all but a 200
// with the field asked for and without errors fails.
func TestClassifyGenerated(t *testing.T) {
	type part struct{ name, text string }
	codes := []string{"", "OVERLOADED", "THROTTLED", "INTERNAL_SERVER_ERROR", "COST_ESTIMATED_TOO_EXPENSIVE"}
	bodies := []part{{"data", `"data":{"myDay":{}}`}, {"null", `"data":null`}, {"other", `"data":{"viewer":{"user":{"id":"u2"}},"myDay":{}}`}, {"page", ""}}
	judged := 0
	for _, status := range []int{200, 429, 500, 503} {
		for _, retry := range []string{"", "3", "soon"} {
			for _, code := range codes {
				for _, body := range bodies {
					text := "{" + body.text
					if code != "" {
						text += fmt.Sprintf(`,"errors":[{"message":"m","extensions":{"code":%q}}]`, code)
					}
					text += "}"
					if body.name == "page" {
						text = "<html>" + code + "</html>"
					}
					want := Failed
					documented := status == 503 && code == "OVERLOADED" || status == 429 && code == "THROTTLED"
					switch {
					case body.name == "page" || body.name == "other":
					case documented && retry == "3" && code == "THROTTLED":
						want = Throttled
					case documented && retry == "3":
						want = Shed
					case status == 200 && code == "" && body.name == "data":
						want = OK
					}
					got := classify(&loaded{Operation: myDay}, asker, answer{status: status, header: http.Header{"Retry-After": {retry}}, body: []byte(text)})
					if got.outcome != want || got.foreign != (body.name == "other") {
						t.Errorf("%d, Retry-After %q, %s: %s (another's: %t), want %s", status, retry, text, got.outcome, got.foreign, want)
					}
					judged++
				}
			}
		}
	}
	if judged < 200 {
		t.Errorf("%d answers were judged, want at least 200", judged)
	}
}

func TestServerTime(t *testing.T) {
	tests := []struct {
		name   string
		header []string
		want   time.Duration
		queued time.Duration
	}{
		{"none", nil, 0, 0},
		{"one", []string{"db;dur=1.5"}, 1500 * time.Microsecond, 0},
		{"several", []string{`parse;dur=0.25, queue;dur=2;desc="waiting"`, "db;dur=1"}, 3250 * time.Microsecond, 2 * time.Millisecond},
		{"held back", []string{"parse;dur=1, hold;dur=9000"}, 9001 * time.Millisecond, 9 * time.Second},
		{"no duration", []string{"cache;desc=hit"}, 0, 0},
		{"no number", []string{"db;dur=fast"}, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, queued := serverTime(http.Header{"Server-Timing": tt.header}); got != tt.want || queued != tt.queued {
				t.Errorf("%v, of it %v in the queue, want %v and %v", got, queued, tt.want, tt.queued)
			}
		})
	}
}

// Whatever a server sends, an answer is only good if it says so in every way.
func FuzzClassify(f *testing.F) {
	f.Add(200, "", `{"data":{"myDay":{"userErrors":[]}}}`)
	f.Add(503, "1", `{"errors":[{"extensions":{"code":"OVERLOADED"}}]}`)
	f.Add(429, "x", `{"errors":[{"extensions":{"code":7}}]}`)
	f.Add(200, "", `{"data":{"myDay":"userErrors"}`)
	f.Fuzz(func(t *testing.T, status int, retry, body string) {
		a := answer{status: status, header: http.Header{"Retry-After": {retry}}, body: []byte(body)}
		got := classify(&loaded{Operation: myDay}, asker, a)
		switch got.outcome {
		case OK:
			if status != http.StatusOK || !json.Valid(a.body) {
				t.Errorf("%d %q is ok", status, body)
			}
		case Shed, Throttled:
			if status != http.StatusServiceUnavailable && status != http.StatusTooManyRequests || retry == "" {
				t.Errorf("%d with Retry-After %q is %s", status, retry, got.outcome)
			}
		case Failed:
		default:
			t.Errorf("%d %q is %s", status, body, got.outcome)
		}
	})
}

func BenchmarkClassify(b *testing.B) {
	body := []byte(`{"data":{"myDay":{"day":"2026-03-02","truncated":false,"totals":{"seconds":18000,"entryCount":5},"entries":[` +
		`{"id":"VGltZUVudHJ5OjE","startedAt":"2026-03-02T08:00:00Z","endedAt":"2026-03-02T09:00:00Z","seconds":3600,"description":"Review","billable":true}]}}}`)
	a := answer{status: 200, header: http.Header{}, body: body}
	b.ReportAllocs()
	for b.Loop() {
		if classify(&loaded{Operation: myDay}, asker, a).outcome != OK {
			b.Fatal("not ok")
		}
	}
}

// A 200 that holds nothing of what was asked is no answer, where no field is promised not
// to be null either.
func TestClassifyLacksWhatWasAsked(t *testing.T) {
	ask := func(document string) *loaded {
		l, err := load(&Operation{Name: "Ask", Document: document}, 0, demoUsers())
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	plain := ask(`query Ask { mine: runningTimer { id } viewer { role } }`)
	for _, test := range []struct {
		name string
		op   *loaded
		data string
		want Outcome
	}{
		{"all of it", plain, `{"mine":null,"viewer":{}}`, OK},
		{"nothing", plain, `{}`, Failed},
		{"under another name", plain, `{"runningTimer":null,"viewer":{}}`, Failed},
		{"half of it", plain, `{"viewer":{}}`, Failed},
		{"what may be left out", ask(`query Ask($x: Boolean!) { runningTimer @include(if: $x) { id } }`), `{}`, OK},
		{"what a fragment holds", ask(`query Ask { ...q } fragment q on Query { viewer { role } }`), `{"viewer":{}}`, OK},
	} {
		got := classify(test.op, demoUsers()[0], answer{status: http.StatusOK, body: []byte(`{"data":` + test.data + `}`)})
		if got.outcome != test.want {
			t.Errorf("%s: %s (%s), want %s", test.name, got.outcome, got.detail, test.want)
		}
	}
}
