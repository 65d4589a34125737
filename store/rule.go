package store

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"headroom/timesheet"
)

// rules are the constraints a person can break, and what they are told. The
// database's own text is never used: its DETAIL prints the whole row.
var rules = map[string]*timesheet.Error{
	"membership_email":              timesheet.Errorf(timesheet.CodeNameTaken, "email", "somebody in this workspace has this address"),
	"client_name":                   timesheet.Errorf(timesheet.CodeNameTaken, "name", "there is a client of this name"),
	"project_name":                  timesheet.Errorf(timesheet.CodeNameTaken, "name", "this client has a project of this name"),
	"task_name":                     timesheet.Errorf(timesheet.CodeNameTaken, "name", "this project has a task of this name"),
	"tag_name":                      timesheet.Errorf(timesheet.CodeNameTaken, "name", "there is a tag of this name"),
	"time_entry_pk":                 timesheet.Errorf(timesheet.CodeIDTaken, "id", "another entry has this id"),
	"time_entry_running":            timesheet.Errorf(timesheet.CodeAlreadyRunning, "", "a timer is running"),
	"time_entry_order":              timesheet.Errorf(timesheet.CodeEndBeforeStart, "endedAt", "the entry ends before it starts"),
	"time_entry_length":             timesheet.Errorf(timesheet.CodeTooLong, "endedAt", "an entry lasts at most 7 days"),
	"time_entry_range":              timesheet.Errorf(timesheet.CodeOutOfRange, "startedAt", "an entry starts between 1970 and 2199"),
	"time_entry_member_fk":          timesheet.NotFound("userId", "user"),
	"time_entry_project_fk":         timesheet.NotFound("projectId", "project"),
	"time_entry_task_fk":            timesheet.NotFound("taskId", "task of this project"),
	"time_entry_task_needs_project": timesheet.Errorf(timesheet.CodeInvalid, "taskId", "a task needs its project"),
	"time_entry_tags":               timesheet.Errorf(timesheet.CodeInvalid, "tagIds", "an entry has at most 50 tags"),
	"time_entry_description_length": timesheet.Errorf(timesheet.CodeInvalid, "description", "a description has at most 3000 characters"),
	"project_client_fk":             timesheet.NotFound("clientId", "client"),
	"project_member_user_fk":        timesheet.NotFound("userId", "user"),
	"task_project_fk":               timesheet.NotFound("projectId", "project"),
	"task_estimate":                 timesheet.Errorf(timesheet.CodeInvalid, "estimateSeconds", "an estimate is not negative"),
	"project_code_length":           timesheet.Errorf(timesheet.CodeInvalid, "code", "a code has 1 to 50 characters"),
	"project_color":                 timesheet.Errorf(timesheet.CodeInvalid, "color", "a colour is written as #1a2b3c"),
	"workspace_currency":            timesheet.Errorf(timesheet.CodeInvalid, "currency", "a currency is three capital letters"),
	// Only a stranger with a claim can act in the name of nobody.
	"idempotency_member_fk":  errClaim,
	"idempotency_key_length": timesheet.Errorf(timesheet.CodeInvalid, "idempotencyKey", "a key has 1 to 100 characters"),
}

// asRule replaces a violated constraint by the rule it stands for; every other
// error stays what it is.
func asRule(err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return err
	}
	if rule, ok := rules[pg.ConstraintName]; ok {
		return rule
	}
	if pg.Code == unstorableText || pg.Code == unstorableJSON {
		return timesheet.Errorf(timesheet.CodeInvalid, "", "text is UTF-8 without U+0000")
	}
	return err
}
