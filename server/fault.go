package server

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// The codes of refused and failed requests, as clients see them in
// extensions.code.
const (
	codeBadRequest       = "BAD_REQUEST"
	codeParseFailed      = "GRAPHQL_PARSE_FAILED"
	codeValidationFailed = "GRAPHQL_VALIDATION_FAILED"
	codeBadUserInput     = "BAD_USER_INPUT"
	codeNoOperation      = "OPERATION_RESOLUTION_FAILURE"
	codeDocumentLimit    = "DOCUMENT_LIMIT_EXCEEDED"
	codeTooLarge         = "REQUEST_TOO_LARGE"
	codeTooExpensive     = "COST_ESTIMATED_TOO_EXPENSIVE"
	codeSlicing          = "COST_INVALID_SLICING_ARGUMENTS"
	codeThrottled        = "THROTTLED"
	codeOverloaded       = "OVERLOADED"
	codeReadOnly         = "READ_ONLY"
	codeUnavailable      = "UNAVAILABLE"
	codeDeadline         = "DEADLINE_EXCEEDED"
	codePersistedUnknown = "PERSISTED_QUERY_NOT_FOUND"
	codePersistedOff     = "PERSISTED_QUERY_NOT_SUPPORTED"
	codePersistedOnly    = "PERSISTED_QUERY_ONLY"
	codeUnauthenticated  = "UNAUTHENTICATED"
	codeForbidden        = "FORBIDDEN"
	codeMethod           = "METHOD_NOT_ALLOWED"
	codeMediaType        = "UNSUPPORTED_MEDIA_TYPE"
	codeNotAcceptable    = "NOT_ACCEPTABLE"
	codeNotFound         = "NOT_FOUND"
	codeNotReady         = "EXPORT_NOT_READY"
	codeGone             = "EXPORT_GONE"
	codeElsewhere        = "EXPORT_ELSEWHERE"
	codeInternal         = "INTERNAL_SERVER_ERROR"
)

// statuses is the table of api: each code's HTTP status for
// application/graphql-response+json and for application/json. The older type
// answers 200 where the request was understood as GraphQL, which its clients
// expect.
var statuses = map[string][2]int{
	codeBadRequest:       {http.StatusBadRequest, http.StatusBadRequest},
	codeParseFailed:      {http.StatusBadRequest, http.StatusOK},
	codeValidationFailed: {http.StatusBadRequest, http.StatusOK},
	codeBadUserInput:     {http.StatusBadRequest, http.StatusOK},
	codeNoOperation:      {http.StatusBadRequest, http.StatusOK},
	codeDocumentLimit:    {http.StatusBadRequest, http.StatusOK},
	codeTooLarge:         {http.StatusRequestEntityTooLarge, http.StatusRequestEntityTooLarge},
	codeTooExpensive:     {http.StatusBadRequest, http.StatusOK},
	codeSlicing:          {http.StatusBadRequest, http.StatusOK},
	codeThrottled:        {http.StatusTooManyRequests, http.StatusTooManyRequests},
	codeOverloaded:       {http.StatusServiceUnavailable, http.StatusServiceUnavailable},
	codeReadOnly:         {http.StatusServiceUnavailable, http.StatusServiceUnavailable},
	codeUnavailable:      {http.StatusServiceUnavailable, http.StatusServiceUnavailable},
	codeDeadline:         {http.StatusGatewayTimeout, http.StatusGatewayTimeout},
	codePersistedUnknown: {http.StatusOK, http.StatusOK},
	codePersistedOff:     {http.StatusOK, http.StatusOK},
	codePersistedOnly:    {http.StatusForbidden, http.StatusForbidden},
	codeUnauthenticated:  {http.StatusUnauthorized, http.StatusUnauthorized},
	codeForbidden:        {http.StatusForbidden, http.StatusForbidden},
	codeMethod:           {http.StatusMethodNotAllowed, http.StatusMethodNotAllowed},
	codeMediaType:        {http.StatusUnsupportedMediaType, http.StatusUnsupportedMediaType},
	codeNotAcceptable:    {http.StatusNotAcceptable, http.StatusNotAcceptable},
	codeNotFound:         {http.StatusNotFound, http.StatusNotFound},
	codeNotReady:         {http.StatusConflict, http.StatusConflict},
	codeGone:             {http.StatusGone, http.StatusGone},
	codeElsewhere:        {http.StatusMisdirectedRequest, http.StatusMisdirectedRequest},
	codeInternal:         {http.StatusInternalServerError, http.StatusInternalServerError},
}

// fault is why a whole request was refused or failed: a value, made where the
// reason is known and written in one place.
type fault struct {
	code       string
	message    string
	status     int           // 0: the table's
	retryAfter time.Duration // 0: no hint
	details    []detail      // further extensions
	errors     gqlerror.List // several errors of one code, with their places
}

type detail struct {
	name  string
	value any
}

func refuse(code, message string) *fault { return &fault{code: code, message: message} }

func (f *fault) with(name string, value any) *fault {
	for i := range f.details {
		if f.details[i].name == name {
			f.details[i].value = value
			return f
		}
	}
	f.details = append(f.details, detail{name, value})
	return f
}

// retry adds the hint in both places: Apollo Client does not show headers on
// errors. Who comes then does not come a part of a millisecond early.
func (f *fault) retry(after time.Duration) *fault {
	f.retryAfter = max(after+time.Millisecond-1, time.Millisecond).Truncate(time.Millisecond)
	return f.with("retryAfterMs", f.retryAfter.Milliseconds())
}

// sorted are the extensions, the code among them, by name, as JSON has them.
func (f *fault) sorted() []detail {
	all := append(append(make([]detail, 0, 8), detail{"code", f.code}), f.details...)
	slices.SortFunc(all, func(a, b detail) int { return strings.Compare(a.name, b.name) })
	return all
}

// statusFor is the status under a media type.
func (f *fault) statusFor(media string) int {
	switch {
	case f.status != 0:
		return f.status
	case media == mediaGraphQL:
		return statuses[f.code][0]
	}
	return statuses[f.code][1]
}

// list is the fault as GraphQL errors.
func (f *fault) list() gqlerror.List {
	errs := f.errors
	if len(errs) == 0 {
		errs = gqlerror.List{{Message: f.message}}
	}
	for _, e := range errs {
		if e.Extensions == nil {
			e.Extensions = map[string]any{}
		}
		e.Extensions["code"] = f.code
		for _, d := range f.details {
			e.Extensions[d.name] = d.value
		}
	}
	return errs
}
