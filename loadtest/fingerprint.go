package loadtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Fingerprint is what two runs must share for their figures to be comparable.
type Fingerprint struct {
	Machine Machine `json:"machine"`
	Data    Data    `json:"data"`
	Schema  string  `json:"schema"` // SHA-256 of the introspected schema, in hex; empty if the server does not tell
}

// Machine is where generator and server run.
type Machine struct {
	System     string `json:"system"` // as Go names it: linux/amd64
	Kernel     string `json:"kernel"`
	Processor  string `json:"processor"`
	Processors int    `json:"processors"`
	MemoryMiB  int64  `json:"memory_mib"`
}

// Data are what the server holds for the people of the run.
type Data struct {
	People     int `json:"people"`
	Workspaces int `json:"workspaces"`
	Entries    int `json:"entries"` // of the first person of up to maxCounted workspaces who sees all; 0 if nobody may tell
}

// sameData is how much more entries one run may have found than another: runs
// write entries themselves.
const sameData = 1.10

// Differences lists in words how two fingerprints differ; none means that runs
// with them may be compared.
func (f Fingerprint) Differences(other Fingerprint) []string {
	var list []string
	say := func(what string, a, b any) {
		if a != b {
			list = append(list, fmt.Sprintf("%s: %v and %v", what, a, b))
		}
	}
	say("system", f.Machine.System, other.Machine.System)
	say("kernel", f.Machine.Kernel, other.Machine.Kernel)
	say("processor", f.Machine.Processor, other.Machine.Processor)
	say("processors", f.Machine.Processors, other.Machine.Processors)
	say("memory in MiB", f.Machine.MemoryMiB, other.Machine.MemoryMiB)
	say("people", f.Data.People, other.Data.People)
	say("workspaces", f.Data.Workspaces, other.Data.Workspaces)
	less, more := min(f.Data.Entries, other.Data.Entries), max(f.Data.Entries, other.Data.Entries)
	if float64(more) > math.Ceil(float64(less)*sameData) {
		say("entries", f.Data.Entries, other.Data.Entries)
	}
	say("schema", f.Schema, other.Schema)
	return list
}

// ErrMixed is why runs cannot be put together.
var ErrMixed = errors.New("the runs differ in what must be the same")

// Alike is an error that wraps ErrMixed and names the differences unless all
// runs have the fingerprint and the scenario of the first.
func Alike(runs ...*Record) error {
	for _, run := range runs[min(1, len(runs)):] {
		differences := runs[0].Fingerprint.Differences(run.Fingerprint)
		if runs[0].ScenarioHash != run.ScenarioHash {
			differences = append([]string{fmt.Sprintf("scenario: %s (%.8s) and %s (%.8s)", runs[0].Scenario, runs[0].ScenarioHash, run.Scenario, run.ScenarioHash)}, differences...)
		}
		if len(differences) > 0 {
			return fmt.Errorf("%w: %s", ErrMixed, strings.Join(differences, "; "))
		}
	}
	return nil
}

// alikeBut is Alike for runs of which one thing, which is cleared, may differ.
func alikeBut(clear func(*Fingerprint), runs []*Record) error {
	var bare []*Record
	for _, r := range runs {
		same := &Record{Scenario: r.Scenario, ScenarioHash: r.ScenarioHash, Fingerprint: r.Fingerprint}
		clear(&same.Fingerprint)
		bare = append(bare, same)
	}
	return Alike(bare...)
}

// fingerprint asks the machine and the server. What they do not tell is empty.
func (s *session) fingerprint(ctx context.Context) Fingerprint {
	m := machine()
	m.System, m.Processors = runtime.GOOS+"/"+runtime.GOARCH, runtime.NumCPU()
	return Fingerprint{Machine: m, Data: s.client.data(ctx, s.deck.scene), Schema: s.client.schemaHash(ctx, s.deck.scene.users[0])}
}

// introspectionQuery asks for all that decides what operations may ask and get.
const introspectionQuery = `{ __schema { queryType { name } mutationType { name } types { kind name
  fields(includeDeprecated: true) { name args { name defaultValue type { ...Ref } } type { ...Ref } }
  inputFields { name defaultValue type { ...Ref } }
  interfaces { name } possibleTypes { name } enumValues(includeDeprecated: true) { name } } } }
fragment Ref on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }`

// schemaHash is the hash of the schema that the server tells to a person.
func (c *client) schemaHash(ctx context.Context, user *User) string {
	got, r, err := c.query(ctx, user.Token, introspectionQuery, &struct{}{})
	if err != nil || got.status != http.StatusOK || len(r.Errors) > 0 {
		return ""
	}
	sum := sha256.Sum256(r.Data["__schema"])
	return hex.EncodeToString(sum[:])
}

// maxCounted bounds how many workspaces are asked how much they hold.
const maxCounted = 20

// data counts people, workspaces, and entries.
func (c *client) data(ctx context.Context, s *scene) Data {
	d := Data{People: len(s.users)}
	var asked, seen []string
	for _, user := range s.users {
		if !slices.Contains(seen, user.Workspace) {
			seen = append(seen, user.Workspace)
		}
		if len(asked) == maxCounted || slices.Contains(asked, user.Workspace) || !slices.Contains(reporters, user.Role) {
			continue
		}
		asked = append(asked, user.Workspace)
		d.Entries += c.entries(ctx, user, s.last)
	}
	d.Workspaces = len(seen)
	return d
}

// countedYears are what entries are counted for: a server may refuse a century.
const countedYears = 30

// entries is how many entries of the years before a day a person's
// workspace holds; 0 if the server does not tell.
func (c *client) entries(ctx context.Context, user *User, last time.Time) int {
	document := fmt.Sprintf(`{ timesheetReport(input: {period: {from: %q, to: %q}, groupBy: [USER], maxRows: 1}) { totals { entryCount } } }`,
		last.AddDate(-countedYears, 0, 1).Format(time.DateOnly), last.Format(time.DateOnly))
	var data struct {
		TimesheetReport *struct{ Totals struct{ EntryCount int } }
	}
	if _, _, err := c.query(ctx, user.Token, document, &data); err != nil || data.TimesheetReport == nil {
		return 0
	}
	return data.TimesheetReport.Totals.EntryCount
}

// scenarioHash names what was asked for, so that runs of something else are
// told apart, also where a built-in operation has changed. Rates that were measured are
// not part of it.
func (s *session) scenarioHash() string {
	text := fmt.Appendf(nil, "%v %v\n%s", s.Duration, s.Rate, s.spec.raw)
	for _, op := range catalog { // what a scenario names without its document
		text = fmt.Appendf(text, "\n%s %s", op.Name, op.Document)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
