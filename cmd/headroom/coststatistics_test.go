package main

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

// largest is what a server with one large workspace tells, without any names.
const largest = `{"priceTable": {"version": 3, "prices": {"row.index": 0.00023}}, "day": "2025-12-31", "workspaces": [
	{"AsOf": 20453, "Users": 300, "Clients": 20, "Projects": 60, "Tasks": 600, "Tags": 10,
	 "All": {"first": "2025-01-01", "entries": [500000,500000,500000,500000,500000,500000,500000,500000,500000,500000,500000,500000]},
	 "Sums": {"first": "2025-01-01", "entries": [9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000]}},
	{"AsOf": 20453, "Users": 3, "Clients": 1, "Projects": 2, "Tasks": 4, "Tags": 0, "All": null, "Sums": null}]}`

// A build prices for the largest workspace: what is cheap by the schema may be more
// than the budget there, and what is dear by the schema may be little.
func TestCostOfTheLargestWorkspace(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"year.graphql":    `query Year { timesheetReport(input: {period: {from: "2025-01-01", to: "2025-12-31"}, groupBy: [TASK], maxRows: 100}) { rows { key } } }`,
		"unknown.graphql": `query Unknown { timesheetReport(input: {period: {from: "2025-01-01", to: "2025-12-31"}, groupBy: [TASK], filter: {userIds: ["VXNlcjo3"]}, maxRows: 100}) { rows { key } } }`,
		"small.graphql":   `query Small { timesheetReport(input: {period: {from: "2024-01-01", to: "2024-12-31"}, groupBy: [TASK], maxRows: 100}) { rows { key } } }`,
		"input.graphql":   `query Input($i: ReportInput!) { timesheetReport(input: $i) { totals { seconds } } }`,
		"period.graphql":  `query Period($a: Date! = "2024-01-01", $b: Date! = "2024-01-02") { timesheetReport(input: {period: {from: $a, to: $b}, groupBy: [TASK], maxRows: 100}) { rows { key } } }`,
		"tasks.graphql":   `query Tasks { projects(first: 100) { nodes { tasks(first: 20) { nodes { id } } } } }`,
		"dear.graphql":    `query Dear { myDay(date: "2025-12-31") { entries { id } } timesheetReport(input: {period: {from: "2025-01-01", to: "2025-12-31"}, groupBy: [TASK], maxRows: 100}) { rows { key } } }`,
		"future.json":     strings.Replace(largest, "2025-12-31", "2999-12-31", 1),
		"counted.json":    strings.Replace(largest, "20453", "400000", 1),
		"largest.json":    largest, "empty.json": `{"day": "2025-12-31", "workspaces": []}`, "wrong.json": `[]`,
		"negative.json": `{"day": "2025-12-31", "workspaces": [{"AsOf": 20453, "Users": -1}]}`,
		"token":         "a token of sixteen letters",
	})
	in := func(name string) string { return filepath.Join(dir, name) }
	served := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer a token of sixteen letters" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(largest))
	}))
	defer served.Close()
	for _, test := range []struct {
		name, file, out, stderr string
		args                    []string
		code                    int
	}{
		{"by the schema", "year.graphql", "60.50", "", nil, 0},
		{"in the largest workspace", "year.graphql", "input.period of timesheetReport at most ", "1 of 1 operations would be refused", []string{"--statistics", in("largest.json")}, 1},
		{"whoever a filter names", "unknown.graphql", "points", "1 of 1", []string{"--statistics", in("largest.json")}, 1},
		{"what is little there", "small.graphql", "accepted", "", []string{"--statistics", in("largest.json"), "--budget", "5"}, 0},
		{"an input that is not given", "input.graphql", "$i assumed: its dearest", "1 of 1", []string{"--statistics", in("largest.json")}, 1},
		{"a period by default", "period.graphql", "points", "1 of 1", []string{"--statistics", in("largest.json")}, 1},
		{"whoever asks: members are told nothing of others' projects", "tasks.graphql", "41.00", "", []string{"--statistics", in("largest.json")}, 0},
		{"and the role is named", "tasks.graphql", "accepted (asked by a member)", "", []string{"--statistics", in("largest.json")}, 0},
		{"whoever pays most", "dear.graphql", "(asked by an owner)", "1 of 1", []string{"--statistics", in("largest.json")}, 1},
		{"of a day to come", "year.graphql", "", "the statistics are of 2999-12-31, and today is", []string{"--statistics", in("future.json")}, 2},
		{"counted on a day to come", "year.graphql", "", "workspace 0 of the statistics was counted on 3065-03-01, after their day, 2025-12-31", []string{"--statistics", in("counted.json")}, 2},
		{"from a server", "year.graphql", "points", "1 of 1", []string{"--statistics", served.URL, "--admin-token-file", in("token")}, 1},
		{"from a server without a token", "year.graphql", "", "answers 401", []string{"--statistics", served.URL}, 2},
		{"without a workspace", "year.graphql", "", "hold no workspace", []string{"--statistics", in("empty.json")}, 2},
		{"of no server", "year.graphql", "", "these are no statistics of a server", []string{"--statistics", in("wrong.json")}, 2},
		{"with less than nobody", "year.graphql", "", "negative counts", []string{"--statistics", in("negative.json")}, 2},
		{"of a file that is not there", "year.graphql", "", "no such file", []string{"--statistics", in("nothing.json")}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := runs(t, append([]string{"cost", in(test.file)}, test.args...)...)
			if r.code != test.code || !strings.Contains(r.out, test.out) || !strings.Contains(r.stderr, test.stderr) {
				t.Errorf("exit %d, %q, %q; want %d, %q, %q", r.code, r.out, r.stderr, test.code, test.out, test.stderr)
			}
		})
	}
}
