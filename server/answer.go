package server

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"headroom/limits"
)

// graphql is the handler of /graphql: one status, one body, one log line.
func (s *Server) graphql(w http.ResponseWriter, hr *http.Request) {
	if wantsPage(hr) {
		http.Redirect(w, hr, "/playground", http.StatusSeeOther)
		return
	}
	r := &request{Request: hr, arrived: time.Now(), id: requestID(hr), media: mediaJSON, client: clientName(hr)}
	resp, f := s.protect(r, s.do)
	if f != nil && r.op == nil {
		s.chargeRefusal(r, f)
	}
	decision := "run"
	switch {
	case f != nil:
		s.pace(r, f)
		decision = f.code
	case brokeDown(resp):
		r.broke, decision = true, codeInternal // it is answered with what did not fail, and somebody has to look
	}
	status := s.write(w, r, resp, f)
	s.finish(r, status, decision)
	s.observe(r, status, decision)
	s.lookout.note(r, f, s.now())
}

// protect turns a panic outside of the executor, which has its own net, into a
// fault.
func (s *Server) protect(r *request, do func(context.Context, *request) (*graphql.Response, *fault)) (resp *graphql.Response, f *fault) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("panic", "request", r.id, "panic", fmt.Sprint(p))
			resp, f = nil, s.internal(r.id)
		}
	}()
	return do(r.Context(), r)
}

// chargeRefusal takes what a refused request has cost, a point a millisecond,
// so that hostile documents and variables empty their sender's budget. Refusals for
// load or price cost nothing: they are no fault of what was sent.
func (s *Server) chargeRefusal(r *request, f *fault) {
	switch f.code {
	case codeParseFailed, codeValidationFailed, codeDocumentLimit, codeBadRequest, codeTooLarge, codeNoOperation, codeBadUserInput, codeSlicing:
		s.charge(r, refusalPoints+millis(r.timings.decode+r.timings.parse+r.timings.validate+r.timings.coerce))
		r.account.charged = true
	}
}

// charge takes points from who asks, be it into debt.
func (s *Server) charge(r *request, points float64) {
	r.account.charge(points)
	s.metrics.budget.WithLabelValues("charged").Add(points)
}

// refusalPoints is what reading a request and writing its refusal cost beside
// what is measured in between.
const refusalPoints = 1.0

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// write sends the answer and returns its status.
func (s *Server) write(w http.ResponseWriter, r *request, resp *graphql.Response, f *fault) int {
	return s.send(w, r, f, func() ([]byte, error) { return s.encode(r, resp, f) })
}

// waitTold is the least wait that a refusal tells of in Server-Timing. One at once has none:
// a ninth header would double what all of them cost.
const waitTold = 20 * time.Millisecond

// send sends headers and an encoded body, and returns the status.
func (s *Server) send(w http.ResponseWriter, r *request, f *fault, encode func() ([]byte, error)) int {
	status := http.StatusOK
	if f != nil {
		status = f.statusFor(r.media)
	}
	h := headers{w.Header(), make([]string, 0, 12)}
	h.set("Content-Type", r.media+"; charset=utf-8")
	h.set("Cache-Control", "no-store")
	h.set("X-Request-Id", r.id)
	if r.refusal == nil || r.parked > 0 || r.timings.queue >= waitTold {
		h.set("Server-Timing", r.serverTiming())
	}
	s.costHeaders(&h, r)
	if r.leaves {
		h.set("Connection", "close")
	}
	if f != nil {
		if f.retryAfter > 0 {
			h.set("Retry-After", strconv.Itoa(int(math.Ceil(f.retryAfter.Seconds()))))
		}
		if f.code == codeMethod && h.to.Get("Allow") == "" {
			h.set("Allow", allowed(r))
		}
		if f.code == codeUnauthenticated {
			h.set("Www-Authenticate", "Bearer")
		}
	}
	body, err := encode()
	if err != nil {
		s.log.Error("encode the answer", "request", r.id, "error", err)
		status, body = http.StatusInternalServerError, []byte(`{"errors":[{"message":"internal error","extensions":{"code":"`+codeInternal+`"}}]}`)
	}
	h.set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		s.log.Debug("the client left before its answer", "request", r.id)
	}
	return status
}

// allowed are the methods that a refused one could have been.
func allowed(r *request) string {
	if r.Method == http.MethodGet || r.URL.Path == pathCost {
		return http.MethodPost
	}
	return "GET, POST"
}

// costHeaders tell proxies and clients that read headers what extensions say.
func (s *Server) costHeaders(h *headers, r *request) {
	if r.account.budgets == nil {
		return
	}
	r.budgetHeaders(h)
	if r.doc == nil || r.price.Basis == "" {
		return
	}
	h.set("X-Cost-Estimated", text(r.price.Expected))
	if r.refusal == nil {
		h.set("X-Cost-Max", text(s.caps.Points))
	}
	if r.op != nil {
		h.set("X-Cost-Actual", text(r.actual))
	}
}

// headers sets those of an answer, with one allocation for the values of all.
type headers struct {
	to     http.Header
	values []string
}

// set sets a header, by its name in canonical form.
func (h *headers) set(name, value string) {
	h.values = append(h.values, value)
	n := len(h.values)
	h.to[name] = h.values[n-1 : n : n]
}

func round(v float64) float64 { return limits.Round(v) }

func text(v float64) string { return strconv.FormatFloat(round(v), 'f', -1, 64) }

// className is the class for logs and metrics; what was refused before it was
// priced has none.
func (r *request) className() string {
	if r.price.Basis == "" {
		return "none"
	}
	return r.class.String()
}

func (r *request) serverTiming() string {
	var room [128]byte
	b := room[:0]
	for _, part := range [...]struct {
		name string
		d    time.Duration
	}{
		{"parse;dur=", r.timings.parse},
		{", validate;dur=", r.timings.validate},
		{", price;dur=", r.timings.price},
		{", queue;dur=", r.timings.queue},
		{", db;dur=", r.dbTime()},
	} {
		b = strconv.AppendFloat(append(b, part.name...), millis(part.d), 'f', 3, 64)
	}
	if r.parked > 0 {
		b = strconv.AppendFloat(append(b, ", hold;dur="...), millis(r.parked), 'f', 3, 64)
	}
	return string(b)
}

func (r *request) dbTime() time.Duration {
	if r.op == nil {
		return 0
	}
	return r.op.Busy()
}

// finish writes the request's log line and its metrics.
func (s *Server) finish(r *request, status int, decision string) {
	took := time.Since(r.arrived)
	s.metrics.answered(r, decision, took)
	if !s.log.Enabled(r.Context(), slog.LevelInfo) || r.refusal != nil && !s.refusalLog.own(s.now()) {
		return
	}
	operation, statements, rows := "", 0, int64(0)
	if r.doc != nil {
		operation = r.doc.op.Name
	}
	if r.op != nil {
		statements, rows = r.op.Statements(), r.op.Rows()
	}
	s.log.LogAttrs(r.Context(), slog.LevelInfo, "request",
		slog.String("request", r.id), slog.String("operation", operation), slog.String("client", r.client),
		slog.Int64("workspace", int64(r.viewer.Workspace.ID)), slog.Int64("token", int64(r.viewer.Token)), slog.Float64("cost", round(r.price.Expected)), slog.Float64("actual", round(r.actual)),
		slog.String("class", r.className()), slog.String("decision", decision),
		slog.Float64("wait_ms", millis(r.timings.queue)), slog.Float64("took_ms", millis(took)),
		slog.Int("statements", statements), slog.Int64("rows", rows), slog.Int("status", status),
		slog.String("traceparent", r.Header.Get("Traceparent")))
}

// requestID is the caller's, if it is a short printable word, else a new one.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	if id != "" && len(id) <= 64 && strings.IndexFunc(id, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\\' }) < 0 {
		return id
	}
	return uuid.NewString()
}

// maxClientName is how much of a client's name is read, in bytes.
const maxClientName = 100

// clientName is the program that asks, as Apollo's and other clients say it.
func clientName(r *http.Request) string {
	name := r.Header.Get("Apollographql-Client-Name")
	if name == "" {
		name = r.Header.Get("Graphql-Client-Name")
	}
	if version := r.Header.Get("Apollographql-Client-Version"); version != "" {
		name += "@" + version
	}
	if len(name) > maxClientName {
		name = strings.Clone(name[:maxClientName]) // what is kept must not hold the whole header
	}
	return name
}

// wantsPage tells a browser's address bar from a client.
func wantsPage(r *http.Request) bool {
	return r.Method == http.MethodGet && !r.URL.Query().Has("query") && strings.Contains(r.Header.Get("Accept"), "text/html")
}

type (
	accountKey  struct{}
	requestKey  struct{}
	documentKey struct{}
)

// requestDocument is the executor's document cache: it finds the one that the
// transport has put into the context.
type requestDocument struct{}

func contextDocument(ctx context.Context) (*document, bool) {
	doc, ok := ctx.Value(documentKey{}).(*document)
	return doc, ok
}
