package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"headroom/loadtest"
)

// mutant is a way to make the product worse: a place in one of its files with what
// stands there instead. The file is replaced while a server is built for the test
// (go build -overlay), so that nothing of it is in the product or its sources.
type mutant struct {
	name     string
	file     string
	old, new string
	alone    bool     // it changes the data, which therefore are a copy
	found    []string // by which command of surge
	exit     loadtest.Exit
}

var (
	byLists    = []string{"compare", "--count", "--scenario", "lists", "--duration", "3s"}
	byCount    = []string{"compare", "--count", "--duration", "6s"}
	byTime     = []string{"compare", "--scenario", "testdata/steady.yaml"}
	byStorm    = []string{"run", "report-storm", "--duration", "12s"}
	byRefusals = []string{"run", "testdata/refusals.yaml"}
)

// counted are found by what is counted, on a machine as busy as it may be.
var counted = []mutant{
	{
		name: "a statement for each row", found: byLists, exit: loadtest.ExitRegression,
		file: "dataloader/loader.go", old: "const maxBatch = 1000\n", new: "const maxBatch = 1\n",
	},
	{
		name: "a lost index", found: byCount, exit: loadtest.ExitRegression, alone: true,
		file: "store/migrate.go", old: "\t\tfor _, m := range done {\n",
		new: "\t\tif _, err := db.ExecContext(ctx, `DROP INDEX IF EXISTS time_entry_started, time_entry_user`); err != nil {\n\t\t\treturn err\n\t\t}\n\t\tfor _, m := range done {\n",
	},
	{
		name: "refusals without Retry-After", found: byRefusals, exit: loadtest.ExitViolated,
		file: "server/answer.go", old: "if f.retryAfter > 0 {", new: "if f.retryAfter < 0 {",
	},
	{
		name: "everybody told the same second", found: byRefusals, exit: loadtest.ExitViolated,
		file: "limits/promise.go", old: "\tc.add(now.Unix(), out.RetryAfter, work)\n", new: "\tout.RetryAfter = time.Second\n\tc.add(now.Unix(), out.RetryAfter, work)\n",
	},
}

// stormed are found by what people see in a storm of reports.
var stormed = []mutant{
	{
		name: "no limits", found: byStorm, exit: loadtest.ExitViolated,
		file: "cmd/headroom/serve.go", old: `default:"on" enum:"on,measure,off"`, new: `default:"off" enum:"on,measure,off"`,
	},
	{
		name: "one pool for all", found: byStorm, exit: loadtest.ExitViolated,
		file: "server/understand.go", old: "\tclass := limits.Classify(p, asked)\n", new: "\tclass := min(limits.Classify(p, asked), limits.Interactive)\n",
	},
}

// timed are found by the processor time of an operation.
var timed = []mutant{
	{
		name: "a tenth more work", found: byTime, exit: loadtest.ExitRegression,
		file: "server/transport.go", old: "\ts.settle(r, permit, reserved, f)\n",
		new: "\tfor until := time.Now().Add(time.Since(r.arrived) / 10); time.Now().Before(until); {\n\t}\n\ts.settle(r, permit, reserved, f)\n",
	},
}

// overlay writes the replacement of a mutant's file, and the list of it for go.
func (m mutant) overlay(t *testing.T, dir string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../..", m.file))
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(source, []byte(m.old)); n != 1 {
		t.Fatalf("%s holds %q %d times, want once", m.file, m.old, n)
	}
	if bytes.Contains(source, []byte(m.new)) {
		t.Fatalf("the product's %s holds %q", m.file, m.new)
	}
	replacement := filepath.Join(dir, "replacement.go")
	list, err := json.Marshal(map[string]map[string]string{"Replace": {path: replacement}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{replacement: bytes.Replace(source, []byte(m.old), []byte(m.new), 1), filepath.Join(dir, "overlay.json"): list} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "overlay.json")
}
