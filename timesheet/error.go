package timesheet

import (
	"errors"
	"fmt"
)

// Code says what kind of business rule was broken. It is part of the API: the
// schema's enum UserErrorCode has the same names.
type Code string

// The codes a payload's userErrors and warnings can carry.
const (
	CodeInvalid             Code = "INVALID"
	CodeNotFound            Code = "NOT_FOUND"
	CodeForbidden           Code = "FORBIDDEN"
	CodeNameTaken           Code = "NAME_TAKEN"
	CodeVersionConflict     Code = "VERSION_CONFLICT"
	CodeIDTaken             Code = "ID_TAKEN"
	CodeNotRunning          Code = "NOT_RUNNING"
	CodeAlreadyRunning      Code = "ALREADY_RUNNING"
	CodeTooLong             Code = "TOO_LONG"
	CodeEndBeforeStart      Code = "END_BEFORE_START"
	CodeOutOfRange          Code = "OUT_OF_RANGE"
	CodeOverlap             Code = "OVERLAP"
	CodeInFuture            Code = "IN_FUTURE"
	CodeZeroLength          Code = "ZERO_LENGTH"
	CodeNeedsReview         Code = "NEEDS_REVIEW"
	CodeArchived            Code = "ARCHIVED"
	CodePeriodLocked        Code = "PERIOD_LOCKED"
	CodeInvoiced            Code = "INVOICED"
	CodeBusy                Code = "BUSY"
	CodeLastOwner           Code = "LAST_OWNER"
	CodeInvalidClaim        Code = "INVALID_CLAIM"
	CodeExportQueueFull     Code = "EXPORT_QUEUE_FULL"
	CodeExportQuota         Code = "EXPORT_QUOTA_EXCEEDED"
	CodeExportsOff          Code = "EXPORTS_OFF"
	CodeIdempotencyMismatch Code = "IDEMPOTENCY_MISMATCH"
	CodeIdempotencyBusy     Code = "IDEMPOTENCY_IN_PROGRESS"
)

// Error is a broken business rule, told to the person who broke it: a code,
// the input field it concerns (empty when none does) and a sentence. Every
// other error is internal: logged with its cause and never shown.
type Error struct {
	Code    Code
	Field   string
	Message string
}

func (e *Error) Error() string {
	if e.Field == "" {
		return e.Message
	}
	return e.Field + ": " + e.Message
}

// Errorf makes an [Error].
func Errorf(code Code, field, format string, args ...any) *Error {
	return &Error{Code: code, Field: field, Message: fmt.Sprintf(format, args...)}
}

// NotFound is the answer for what does not exist, and for what exists and the
// asker may not see: the two must not be told apart.
func NotFound(field, kind string) *Error {
	return Errorf(CodeNotFound, field, "there is no such %s", kind)
}

// AsError finds a business error in a chain.
func AsError(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}
