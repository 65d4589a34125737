package graph_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"headroom/graph"
	"headroom/timesheet"
)

var entryID = timesheet.EntryID{0x01, 0x89, 0x0a, 0x5d, 0xac, 0x96, 0x77, 0x4b, 0xbc, 0xce, 0xb3, 0x02, 0x09, 0x9a, 0x80, 0x57}

func encode(s string) graph.ID { return graph.ID(base64.RawURLEncoding.EncodeToString([]byte(s))) }

func ExampleID_Key() {
	var id graph.ID
	if err := id.UnmarshalGQL("UHJvamVjdDo0Mg"); err != nil {
		fmt.Println(err)
	}
	switch key := id.Key().(type) {
	case timesheet.ProjectID:
		fmt.Println("project", key)
	case timesheet.ClientID:
		fmt.Println("client", key)
	}
	fmt.Println(graph.ID("nonsense").Key())
	// Output:
	// project 42
	// <nil>
}

// again writes a key and reads it back.
func again[K any](key K, marshal func(K) graphql.Marshaler, unmarshal func(any) (K, error)) func() (written string, read, want any, err error) {
	return func() (string, any, any, error) {
		written := strings.Trim(text(marshal(key)), `"`)
		read, err := unmarshal(written)
		return written, read, key, err
	}
}

func TestIDsNameWhatTheyWereMadeOf(t *testing.T) {
	for _, test := range []func() (string, any, any, error){
		again(1, graph.MarshalWorkspaceID, graph.UnmarshalWorkspaceID),
		again(2, graph.MarshalUserID, graph.UnmarshalUserID),
		again(3, graph.MarshalClientID, graph.UnmarshalClientID),
		again(4, graph.MarshalProjectID, graph.UnmarshalProjectID),
		again(5, graph.MarshalTaskID, graph.UnmarshalTaskID),
		again(6, graph.MarshalTagID, graph.UnmarshalTagID),
		again(7, graph.MarshalTokenID, graph.UnmarshalTokenID),
		again(entryID, graph.MarshalTimeEntryID, graph.UnmarshalTimeEntryID),
	} {
		written, read, want, err := test()
		if read != want || err != nil {
			t.Errorf("%s is read as %T %v, %v; want %T %v", written, read, read, err, want, want)
		}
		if got := graph.ID(written).Key(); got != want {
			t.Errorf("%s names %T %v, want %T %v", written, got, got, want, want)
		}
	}
}

// What is no project's id is no error either: it is the key that nothing has.
func TestWrongIDsAreTheZeroKey(t *testing.T) {
	tests := []struct {
		name string
		in   any
	}{
		{"empty", ""},
		{"no base64", "Project:42"},
		{"padded", string(encode("Project:42")) + "=="},
		{"stray bits", "UHJvamVjdDo0Mh"},
		{"another type", string(encode("Client:42"))},
		{"an unknown type", string(encode("Invoice:42"))},
		{"lower case", string(encode("project:42"))},
		{"no key", string(encode("Project:"))},
		{"no colon", string(encode("Project42"))},
		{"zero", string(encode("Project:0"))},
		{"negative", string(encode("Project:-42"))},
		{"leading zero", string(encode("Project:042"))},
		{"plus", string(encode("Project:+42"))},
		{"space", string(encode("Project: 42"))},
		{"beyond 64 bits", string(encode("Project:9223372036854775808"))},
		{"long", string(encode("Project:" + strings.Repeat("4", 10000)))},
		{"a number", int64(42)},
		{"a number in a variable", json.Number("42")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got, err := graph.UnmarshalProjectID(test.in); got != 0 || err != nil {
				t.Errorf("got %d, %v; want the zero key", got, err)
			}
		})
	}
	if _, err := graph.UnmarshalProjectID(true); err == nil {
		t.Error("a boolean was read as an ID")
	}
	if got, err := graph.UnmarshalTimeEntryID(string(encode("TimeEntry:" + strings.ToUpper(entryID.String())))); got != (timesheet.EntryID{}) || err != nil {
		t.Errorf("an entry's id in upper case: got %v, %v; want the zero key", got, err)
	}
}

// FuzzID: an id has one form, so that clients can compare ids as texts.
func FuzzID(f *testing.F) {
	for _, seed := range []string{"UHJvamVjdDo0Mg", "", "=", string(encode("TimeEntry:" + entryID.String())), string(encode("User:9223372036854775807"))} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		var written string
		switch key := graph.ID(in).Key().(type) {
		case nil:
			return
		case timesheet.ProjectID:
			written = text(graph.MarshalProjectID(key))
		case timesheet.UserID:
			written = text(graph.MarshalUserID(key))
		case timesheet.EntryID:
			written = text(graph.MarshalTimeEntryID(key))
		default:
			return
		}
		if written != `"`+in+`"` {
			t.Errorf("%q is written as %s", in, written)
		}
	})
}

func BenchmarkID(b *testing.B) {
	var sink strings.Builder
	for b.Loop() {
		sink.Reset()
		graph.MarshalTimeEntryID(entryID).MarshalGQL(&sink)
		if _, err := graph.UnmarshalTimeEntryID(strings.Trim(sink.String(), `"`)); err != nil {
			b.Fatal(err)
		}
	}
}
