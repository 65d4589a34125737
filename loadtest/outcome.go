package loadtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// An Outcome is how one planned operation ended. The first that fits counts.
type Outcome uint8

// The outcomes in the order in which they are tried. Unsent is not an outcome
// of a finished run: a row that still says so breaks the books.
const (
	Unsent         Outcome = iota
	Dropped                // never sent: too much was in flight
	GeneratorError         // the generator's own fault: no sockets, no ports
	Connection             // the server refused or broke the connection
	Timeout                // given up after the class's patience
	Shed                   // refused for load: 503 with Retry-After and a documented code
	Throttled              // refused for the client's budget: 429, the same way
	Rejected               // refused for its cost or shape, where that was expected
	Failed                 // any other answer that is not the one asked for
	Late                   // right, but after the class's patience
	OK
	Interrupted // cut off because the run was stopped
	outcomes    // how many there are
)

var outcomeNames = [outcomes]string{
	"unsent", "dropped", "generator error", "connection", "timeout", "shed",
	"throttled", "rejected", "failed", "late", "ok", "interrupted",
}

func (o Outcome) String() string { return outcomeNames[o] }

// answer is what came back for one attempt: an error of the transport, or a
// status, headers and body.
type answer struct {
	err    error
	status int
	header http.Header
	body   []byte
}

// shedCodes are the documented refusals that ask for a retry, by status.
var shedCodes = map[int][]string{
	http.StatusTooManyRequests:    {"THROTTLED"},
	http.StatusServiceUnavailable: {"OVERLOADED", "UNAVAILABLE", "DEADLINE_EXCEEDED", "READ_ONLY", "BLOCKED"},
}

// rejections are the documented refusals of a document for what it asks.
var rejections = []string{
	"COST_ESTIMATED_TOO_EXPENSIVE", "COST_INVALID_SLICING_ARGUMENTS",
	"DOCUMENT_LIMIT_EXCEEDED", "GRAPHQL_VALIDATION_FAILED",
}

// reply is the part of a GraphQL response that decides its outcome.
type reply struct {
	Data   map[string]json.RawMessage `json:"data"`
	Errors []struct {
		Message    string `json:"message"`
		Extensions struct {
			Code         string `json:"code"`
			RetryAfterMs *int64 `json:"retryAfterMs"`
		} `json:"extensions"`
	} `json:"errors"`
}

func (r *reply) code() string {
	if len(r.Errors) == 0 {
		return ""
	}
	return r.Errors[0].Extensions.Code
}

// foreign tells whether an answer says that it is for somebody else: another
// user or another workspace than the one who asked. Empty: it does not, it does
// not say, or who asked is not known.
func (r *reply) foreign(user *User) string {
	var v viewer
	if json.Unmarshal(r.Data["viewer"], &v) != nil {
		return ""
	}
	switch {
	case v.User.ID != "" && user.id != "" && v.User.ID != user.id:
		return "user"
	case v.Workspace.ID != "" && user.workspaceID != "" && v.Workspace.ID != user.workspaceID:
		return "workspace"
	}
	return ""
}

// viewer is who the server takes the asker for.
type viewer struct {
	User      struct{ ID string }
	Workspace struct{ ID string }
}

// judgement is an outcome with the reason to show beside it.
type judgement struct {
	outcome Outcome
	detail  string        // empty when ok
	told    time.Duration // of a refusal: when to come back
	refused bool          // a right answer that holds userErrors: the rules of the business said no
	foreign bool          // it holds another person's data
}

// remark is what a row keeps of it beside the outcome.
func (j judgement) remark() remark {
	switch {
	case j.foreign:
		return foreign
	case j.refused:
		return userErrors
	}
	return noRemark
}

// classify judges an answer to op that user asked; an answer in time is OK, and
// the caller makes it Late.
func classify(op *loaded, user *User, a answer) judgement {
	if a.err != nil {
		return classifyError(a.err)
	}
	var r reply
	if err := json.Unmarshal(a.body, &r); err != nil {
		return judgement{outcome: Failed, detail: statusDetail(a.status) + "body is not a GraphQL response"}
	}
	if whose := r.foreign(user); whose != "" {
		return judgement{outcome: Failed, detail: "the data of another " + whose, foreign: true}
	}
	code := r.code()
	if slices.Contains(shedCodes[a.status], code) {
		return classifyRefusal(a, &r)
	}
	if op.Rejectable && slices.Contains(rejections, code) {
		return judgement{outcome: Rejected, detail: code}
	}
	if a.status != http.StatusOK || len(r.Errors) > 0 {
		return judgement{outcome: Failed, detail: statusDetail(a.status) + describe(&r)}
	}
	return classifyData(op, &r)
}

// classifyRefusal tells an honest refusal from one that leaves the client to
// guess when to come back.
func classifyRefusal(a answer, r *reply) judgement {
	code := r.code()
	if !validRetryAfter(a.header.Get("Retry-After")) {
		return judgement{outcome: Failed, detail: statusDetail(a.status) + code + " without Retry-After"}
	}
	told, _ := r.hint(a.header)
	if code == "THROTTLED" {
		return judgement{outcome: Throttled, detail: code, told: told}
	}
	return judgement{outcome: Shed, detail: code, told: told}
}

// classifyData checks that data holds the field asked for.
func classifyData(op *loaded, r *reply) judgement {
	if r.Data == nil {
		return judgement{outcome: Failed, detail: "no data"}
	}
	field, ok := r.Data[op.Root]
	if op.Root != "" && (!ok || string(field) == "null") {
		return judgement{outcome: Failed, detail: "no " + op.Root + " in data"}
	}
	for _, name := range op.asks {
		if _, ok := r.Data[name]; !ok {
			return judgement{outcome: Failed, detail: "no " + name + " in data"}
		}
	}
	var payload struct {
		UserErrors []json.RawMessage `json:"userErrors"`
	}
	if bytes.Contains(field, []byte(`"userErrors"`)) {
		if err := json.Unmarshal(field, &payload); err != nil {
			return judgement{outcome: Failed, detail: op.Root + " is not an object"}
		}
	}
	return judgement{outcome: OK, refused: len(payload.UserErrors) > 0}
}

// errCutShort marks a body that ended or broke before it was whole.
var errCutShort = errors.New("body cut short")

// classifyError judges an attempt that brought no whole answer.
func classifyError(err error) judgement {
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return judgement{outcome: Interrupted}
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE),
		errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.ENOBUFS), errors.Is(err, errNotLoopback),
		errors.Is(err, net.ErrClosed): // by us, or it would be a reset or an end
		return judgement{outcome: GeneratorError, detail: root(err)}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return judgement{outcome: Timeout, detail: "no answer in time"}
	case errors.Is(err, errCutShort):
		return judgement{outcome: Failed, detail: root(err)}
	}
	return judgement{outcome: Connection, detail: root(err)}
}

// root is the innermost cause, without the addresses that would make every
// detail a different one.
func root(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

func statusDetail(status int) string { return strconv.Itoa(status) + " " }

// describe is the code of the first error, else the start of its message.
func describe(r *reply) string {
	if code := r.code(); code != "" {
		return code
	}
	if len(r.Errors) == 0 {
		return "without errors"
	}
	message := r.Errors[0].Message
	return strings.ToValidUTF8(message[:min(len(message), 60)], "")
}

// validRetryAfter accepts whole seconds and HTTP dates (RFC 9110, 10.2.3).
func validRetryAfter(value string) bool {
	if _, err := strconv.ParseUint(value, 10, 31); err == nil {
		return true
	}
	_, err := time.Parse(http.TimeFormat, value)
	return err == nil
}
