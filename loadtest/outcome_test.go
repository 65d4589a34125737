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
			got := classify(tt.op, answer{status: tt.status, header: header, body: []byte(tt.body)})
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
			if got := classify(myDay, answer{err: tt.err}); got.outcome != tt.want {
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
		if got := classify(stop, answer{status: 200, body: []byte(body)}); got.refused != want {
			t.Errorf("%s: refused %t, want %t", body, got.refused, want)
		}
	}
}

func TestServerTime(t *testing.T) {
	tests := []struct {
		name   string
		header []string
		want   time.Duration
	}{
		{"none", nil, 0},
		{"one", []string{"db;dur=1.5"}, 1500 * time.Microsecond},
		{"several", []string{`parse;dur=0.25, queue;desc="waiting, a while";dur=2`, "db;dur=1"}, 3250 * time.Microsecond},
		{"no duration", []string{"cache;desc=hit"}, 0},
		{"no number", []string{"db;dur=fast"}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := serverTime(http.Header{"Server-Timing": tt.header}); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
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
		got := classify(myDay, a)
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
		if classify(myDay, a).outcome != OK {
			b.Fatal("not ok")
		}
	}
}
