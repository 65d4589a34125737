package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/gqlerror"

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
	if f != nil {
		decision = f.code
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
// so that hostile documents empty their sender's budget. Refusals for load or
// price cost nothing: they are no fault of the document's.
func (s *Server) chargeRefusal(r *request, f *fault) {
	switch f.code {
	case codeParseFailed, codeValidationFailed, codeDocumentLimit, codeBadRequest, codeTooLarge, codeNoOperation:
		s.charge(r, refusalPoints+millis(r.timings.decode+r.timings.parse+r.timings.validate))
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

// send sends headers and an encoded body, and returns the status.
func (s *Server) send(w http.ResponseWriter, r *request, f *fault, encode func() ([]byte, error)) int {
	status := http.StatusOK
	if f != nil {
		status = f.statusFor(r.media)
	}
	h := w.Header()
	h.Set("Content-Type", r.media+"; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Request-Id", r.id)
	h.Set("Server-Timing", r.serverTiming())
	s.costHeaders(h, r)
	if f != nil {
		if f.retryAfter > 0 {
			h.Set("Retry-After", strconv.Itoa(int(math.Ceil(f.retryAfter.Seconds()))))
		}
		if f.code == codeMethod && h.Get("Allow") == "" {
			h.Set("Allow", allowed(r))
		}
		if f.code == codeUnauthenticated {
			h.Set("WWW-Authenticate", "Bearer")
		}
	}
	body, err := encode()
	if err != nil {
		s.log.Error("encode the answer", "request", r.id, "error", err)
		status, body = http.StatusInternalServerError, []byte(`{"errors":[{"message":"internal error","extensions":{"code":"`+codeInternal+`"}}]}`)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
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

// encode builds the body. data is absent, not null, where nothing was run, and
// the executor's bytes are not parsed again.
func (s *Server) encode(r *request, resp *graphql.Response, f *fault) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	var errs gqlerror.List
	if f != nil {
		errs = f.list()
	} else {
		errs = resp.Errors
	}
	if len(errs) > 0 {
		text, err := json.Marshal(errs[:min(len(errs), maxErrors)])
		if err != nil {
			return nil, err
		}
		b.WriteString(`"errors":`)
		b.Write(text)
		b.WriteByte(',')
	}
	if f == nil {
		b.WriteString(`"data":`)
		b.Write(resp.Data)
		b.WriteByte(',')
	}
	text, err := json.Marshal(s.extensions(r, f))
	if err != nil {
		return nil, err
	}
	b.WriteString(`"extensions":`)
	b.Write(text)
	b.WriteString("}\n")
	return b.Bytes(), nil
}

// cost is what an answer says about its price, in Shopify's shape.
type cost struct {
	Requested float64        `json:"requestedQueryCost"`
	Actual    *float64       `json:"actualQueryCost"`
	Limit     float64        `json:"limit"`
	Basis     limits.Basis   `json:"basis"`
	Class     string         `json:"class"`
	Throttle  throttleStatus `json:"throttleStatus"`
	Rows      *rowCount      `json:"rows,omitempty"`
	Fields    []fieldCost    `json:"fields,omitempty"` // on request
}

type throttleStatus struct {
	Maximum   float64 `json:"maximumAvailable"`
	Available float64 `json:"currentlyAvailable"`
	Restore   float64 `json:"restoreRate"`
}

type rowCount struct {
	Estimated int64 `json:"estimated"`
	Actual    int64 `json:"actual"`
}

func (s *Server) extensions(r *request, f *fault) map[string]any {
	if r.doc == nil || r.price.Basis == "" {
		return map[string]any{"requestId": r.id}
	}
	c := cost{
		Requested: round(r.price.Expected), Limit: s.caps.Points, Basis: r.price.Basis, Class: r.class.String(),
		Throttle: s.throttle(r.account),
	}
	if r.op != nil && f == nil {
		actual := round(r.actual)
		c.Actual = &actual
		c.Rows = &rowCount{Estimated: r.price.Rows, Actual: r.op.Rows()}
	}
	switch {
	case r.explain == nil:
	case c.Actual != nil:
		c.Fields = r.explain.measured()
	default:
		c.Fields = shares(r.price)
	}
	out := map[string]any{"cost": c}
	if shed := r.shed(); len(shed) > 0 && f == nil {
		out["shed"] = shed
	}
	return out
}

// throttle is what the person may still spend; where another budget has refused
// them, that one's.
func (s *Server) throttle(a account) throttleStatus {
	if short := a.short; short != nil {
		return throttleStatus{Maximum: short.Rate.Size, Available: round(short.Available), Restore: short.Rate.Restore}
	}
	own := a.budgets[0]
	rate := own.Budget.Rate()
	return throttleStatus{Maximum: rate.Size, Available: round(own.Budget.Available(own.Key)), Restore: rate.Restore}
}

// costHeaders tell proxies and clients that read headers what extensions say.
func (s *Server) costHeaders(h http.Header, r *request) {
	if r.account.budgets == nil {
		return
	}
	t := s.throttle(r.account)
	fill := int(math.Ceil((t.Maximum - t.Available) / t.Restore))
	h.Set("RateLimit-Policy", fmt.Sprintf(`"cost";q=%.0f;w=%.0f`, t.Maximum, math.Ceil(t.Maximum/t.Restore)))
	h.Set("RateLimit", fmt.Sprintf(`"cost";r=%.0f;t=%d`, max(0, math.Floor(t.Available)), fill))
	if r.doc == nil || r.price.Basis == "" {
		return
	}
	h.Set("X-Cost-Estimated", text(r.price.Expected))
	h.Set("X-Cost-Max", text(s.caps.Points))
	if r.op != nil {
		h.Set("X-Cost-Actual", text(r.actual))
	}
}

func round(v float64) float64 { return math.Round(v*100) / 100 }

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
	var b strings.Builder
	for _, part := range []struct {
		name string
		d    time.Duration
	}{
		{"parse", r.timings.parse},
		{"validate", r.timings.validate},
		{"price", r.timings.price},
		{"queue", r.timings.queue},
		{"db", r.dbTime()},
	} {
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s;dur=%.3f", part.name, float64(part.d.Microseconds())/1000)
	}
	return b.String()
}

func (r *request) dbTime() time.Duration {
	if r.op == nil {
		return 0
	}
	return r.op.Busy()
}

// finish writes the request's log line and its metrics.
func (s *Server) finish(r *request, status int, decision string) {
	operation, statements, rows := "", 0, int64(0)
	if r.doc != nil {
		operation = r.doc.op.Name
	}
	if r.op != nil {
		statements, rows = r.op.Statements(), r.op.Rows()
	}
	took := time.Since(r.arrived)
	s.metrics.answered(r, decision, took)
	s.log.LogAttrs(r.Context(), slog.LevelInfo, "request",
		slog.String("request", r.id), slog.String("operation", operation), slog.String("client", r.client),
		slog.Int64("workspace", int64(r.viewer.Workspace.ID)), slog.Float64("cost", round(r.price.Expected)), slog.Float64("actual", round(r.actual)),
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
	accountKey   struct{}
	requestIDKey struct{}
	documentKey  struct{}
)

// requestDocument is the executor's document cache: it finds the one that the
// transport has put into the context.
type requestDocument struct{}

func contextDocument(ctx context.Context) (*document, bool) {
	doc, ok := ctx.Value(documentKey{}).(*document)
	return doc, ok
}
