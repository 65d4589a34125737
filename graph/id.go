package graph

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"headroom/timesheet"
)

// ID is a global id as clients see it: unpadded base64url of Type:key, such as
// Project:42. The workspace is not in it, it follows from the token.
type ID string

// The types of the schema that have ids which come back in arguments.
const (
	kindWorkspace = "Workspace"
	kindUser      = "User"
	kindClient    = "Client"
	kindProject   = "Project"
	kindTask      = "Task"
	kindTag       = "Tag"
	kindTimeEntry = "TimeEntry"
	kindToken     = "Token"
	kindExport    = "ReportExport"
)

// maxID is longer than any id of ours, in characters.
const maxID = 100

func newID(kind, key string) ID {
	return ID(base64.RawURLEncoding.EncodeToString([]byte(kind + ":" + key)))
}

// Key is what an id names: a [timesheet.ProjectID], [timesheet.EntryID] and so
// on, or nil where the text is no id of ours.
func (id ID) Key() any {
	if len(id) > maxID {
		return nil
	}
	text, err := base64.RawURLEncoding.DecodeString(string(id))
	kind, key, _ := strings.Cut(string(text), ":")
	if err != nil || newID(kind, key) != id {
		return nil // the decoder is lenient, an id has one form
	}
	switch kind {
	case kindWorkspace:
		return number[timesheet.WorkspaceID](key)
	case kindUser:
		return number[timesheet.UserID](key)
	case kindClient:
		return number[timesheet.ClientID](key)
	case kindProject:
		return number[timesheet.ProjectID](key)
	case kindTask:
		return number[timesheet.TaskID](key)
	case kindTag:
		return number[timesheet.TagID](key)
	case kindToken:
		return number[timesheet.TokenID](key)
	case kindExport:
		return number[timesheet.ExportID](key)
	case kindTimeEntry:
		if entry, err := timesheet.ParseEntryID(key); err == nil && entry.String() == key {
			return entry
		}
	}
	return nil
}

// number reads a positive decimal number in its only form.
func number[K ~int64](text string) any {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 || strconv.FormatInt(n, 10) != text {
		return nil
	}
	return K(n)
}

// MarshalGQL writes the id.
func (id ID) MarshalGQL(w io.Writer) { graphql.MarshalString(string(id)).MarshalGQL(w) }

// writtenID is an id of ours, which needs no escapes, as it stands in answers.
func writtenID(plain []byte) graphql.Marshaler {
	id := make([]byte, 1, 2+base64.RawURLEncoding.EncodedLen(len(plain)))
	id[0] = '"'
	return written(append(base64.RawURLEncoding.AppendEncode(id, plain), '"'))
}

// UnmarshalGQL reads any text; whether it names something is found out where
// it is looked up. GraphQL allows whole numbers for ids; none is one of ours.
func (id *ID) UnmarshalGQL(v any) error {
	switch v := v.(type) {
	case string:
		*id = ID(v)
	case json.Number:
		*id = ID(v)
	case int64:
		*id = ID(strconv.FormatInt(v, 10))
	default:
		return invalid("an ID is a string")
	}
	return nil
}

// marshalKey writes the id of a numbered thing.
func marshalKey[K ~int64](kind string, key K) graphql.Marshaler {
	var plain [maxID]byte
	return writtenID(strconv.AppendInt(append(append(plain[:0], kind...), ':'), int64(key), 10))
}

// unmarshalKey reads an id that names a K. Every other id is the zero key,
// which nothing has, so that it is not found like one that never existed.
func unmarshalKey[K any](v any) (key K, err error) {
	var id ID
	err = id.UnmarshalGQL(v)
	key, _ = id.Key().(K)
	return key, err
}

// MarshalWorkspaceID writes a workspace's id.
func MarshalWorkspaceID(key timesheet.WorkspaceID) graphql.Marshaler {
	return marshalKey(kindWorkspace, key)
}

// UnmarshalWorkspaceID reads a workspace's id; a wrong one is zero.
func UnmarshalWorkspaceID(v any) (timesheet.WorkspaceID, error) {
	return unmarshalKey[timesheet.WorkspaceID](v)
}

// MarshalUserID writes a user's id.
func MarshalUserID(key timesheet.UserID) graphql.Marshaler { return marshalKey(kindUser, key) }

// UnmarshalUserID reads a user's id; a wrong one is zero.
func UnmarshalUserID(v any) (timesheet.UserID, error) { return unmarshalKey[timesheet.UserID](v) }

// MarshalClientID writes a client's id.
func MarshalClientID(key timesheet.ClientID) graphql.Marshaler { return marshalKey(kindClient, key) }

// UnmarshalClientID reads a client's id; a wrong one is zero.
func UnmarshalClientID(v any) (timesheet.ClientID, error) {
	return unmarshalKey[timesheet.ClientID](v)
}

// MarshalProjectID writes a project's id.
func MarshalProjectID(key timesheet.ProjectID) graphql.Marshaler {
	return marshalKey(kindProject, key)
}

// UnmarshalProjectID reads a project's id; a wrong one is zero.
func UnmarshalProjectID(v any) (timesheet.ProjectID, error) {
	return unmarshalKey[timesheet.ProjectID](v)
}

// MarshalTaskID writes a task's id.
func MarshalTaskID(key timesheet.TaskID) graphql.Marshaler { return marshalKey(kindTask, key) }

// UnmarshalTaskID reads a task's id; a wrong one is zero.
func UnmarshalTaskID(v any) (timesheet.TaskID, error) { return unmarshalKey[timesheet.TaskID](v) }

// MarshalTagID writes a tag's id.
func MarshalTagID(key timesheet.TagID) graphql.Marshaler { return marshalKey(kindTag, key) }

// UnmarshalTagID reads a tag's id; a wrong one is zero.
func UnmarshalTagID(v any) (timesheet.TagID, error) { return unmarshalKey[timesheet.TagID](v) }

// MarshalTokenID writes a token's id.
func MarshalTokenID(key timesheet.TokenID) graphql.Marshaler { return marshalKey(kindToken, key) }

// UnmarshalTokenID reads a token's id; a wrong one is zero.
func UnmarshalTokenID(v any) (timesheet.TokenID, error) { return unmarshalKey[timesheet.TokenID](v) }

// NewExportID is an export's id as its link has it.
func NewExportID(key timesheet.ExportID) ID {
	return newID(kindExport, strconv.FormatInt(int64(key), 10))
}

// MarshalExportID writes an export's id.
func MarshalExportID(key timesheet.ExportID) graphql.Marshaler { return NewExportID(key) }

// UnmarshalExportID reads an export's id; a wrong one is zero.
func UnmarshalExportID(v any) (timesheet.ExportID, error) {
	return unmarshalKey[timesheet.ExportID](v)
}

// MarshalTimeEntryID writes a time entry's id.
func MarshalTimeEntryID(key timesheet.EntryID) graphql.Marshaler {
	var plain [maxID]byte
	return writtenID(append(append(append(plain[:0], kindTimeEntry...), ':'), key.String()...))
}

// UnmarshalTimeEntryID reads a time entry's id; a wrong one is zero.
func UnmarshalTimeEntryID(v any) (timesheet.EntryID, error) {
	return unmarshalKey[timesheet.EntryID](v)
}
