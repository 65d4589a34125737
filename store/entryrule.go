package store

import (
	"strings"
	"time"
	"unicode/utf8"

	"headroom/timesheet"
)

// wholeSecond drops what is smaller than a second: the database stores whole
// seconds only.
func wholeSecond(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// checkSpan applies the rules for the times of an entry: what breaks one is
// returned as err, what is only unusual as warnings. A running timer's start
// lies at most a device's clock error in the future; finished entries may be
// planned ahead.
func checkSpan(e timesheet.TimeEntry, now time.Time) (warnings []*timesheet.Error, err error) {
	switch {
	case e.StartedAt.Before(timesheet.FirstStart):
		return nil, timesheet.Errorf(timesheet.CodeOutOfRange, "startedAt", "an entry starts in 1970 at the earliest")
	case e.EndedAt == nil && e.StartedAt.After(now.Add(timesheet.ClockTolerance)):
		return nil, timesheet.Errorf(timesheet.CodeInFuture, "startedAt", "a running timer cannot start in the future")
	case e.StartedAt.After(now.Add(timesheet.MaxFuture)):
		return nil, timesheet.Errorf(timesheet.CodeOutOfRange, "startedAt", "an entry starts at most a year from now")
	case e.EndedAt == nil:
		return nil, nil
	case e.EndedAt.Before(e.StartedAt):
		return nil, timesheet.Errorf(timesheet.CodeEndBeforeStart, "endedAt", "the entry ends before it starts")
	case e.EndedAt.Sub(e.StartedAt) > timesheet.MaxEntry:
		return nil, timesheet.Errorf(timesheet.CodeTooLong, "endedAt", "an entry lasts at most 7 days")
	case e.EndedAt.Equal(e.StartedAt):
		return []*timesheet.Error{timesheet.Errorf(timesheet.CodeZeroLength, "endedAt", "the entry has no length")}, nil
	}
	return reviewLength(e), nil
}

// reviewLength asks for a second look at an entry of more than a day.
func reviewLength(e timesheet.TimeEntry) []*timesheet.Error {
	if e.EndedAt.Sub(e.StartedAt) <= timesheet.ReviewEntry {
		return nil
	}
	return []*timesheet.Error{timesheet.Errorf(timesheet.CodeNeedsReview, "endedAt", "the entry lasts longer than 24 hours")}
}

// stopTime is when a running timer ends that is stopped at an instant, with
// what its person should know. Nobody's time may be lost to a rule, so a timer
// that somebody forgot for more than the longest entry ends at that length,
// and one whose start lies ahead of our clock ends at its start.
func stopTime(e timesheet.TimeEntry, at time.Time) (time.Time, []*timesheet.Error) {
	longest := e.StartedAt.Add(timesheet.MaxEntry)
	switch {
	case at.After(longest):
		return longest, []*timesheet.Error{timesheet.Errorf(timesheet.CodeTooLong, "endedAt", "the timer ran for more than 7 days; the entry ends after 7 days")}
	case at.Before(e.StartedAt):
		return e.StartedAt, nil
	}
	e.EndedAt = &at
	return at, reviewLength(e)
}

// checkDescription lets every text pass that the database can store.
func checkDescription(text string) error {
	switch n := utf8.RuneCountInString(text); {
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return timesheet.Errorf(timesheet.CodeInvalid, "description", "a description is text in UTF-8 without U+0000")
	case n > timesheet.MaxDescription:
		return timesheet.Errorf(timesheet.CodeInvalid, "description", "a description has at most %d characters, this one has %d", timesheet.MaxDescription, n)
	}
	return nil
}
