package headroom

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pages are the documents by their path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, top := range []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs", "examples"} {
		err := filepath.WalkDir(top, func(path string, _ fs.DirEntry, err error) error {
			if err == nil && filepath.Ext(path) == ".md" {
				found[path] = read(t, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestLinksResolve(t *testing.T) {
	for path, text := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			target := filepath.Join(filepath.Dir(path), file)
			if file == "" {
				target = path
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", path, m[1], err)
			} else if anchor != "" && !slices.Contains(anchors(read(t, target)), anchor) {
				t.Errorf("%s links to %s, which has no such heading", path, m[1])
			}
		}
	}
}

var heading = regexp.MustCompile(`(?m)^#+ (.+)$`)

// anchors are the names by which a page's headings are linked to.
func anchors(text string) (names []string) {
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		name := regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(m[1]), "")
		names = append(names, strings.ReplaceAll(name, " ", "-"))
	}
	return names
}

// ours are the commands whose flags the documents may name.
var ours = []string{
	"headroom serve", "headroom migrate", "headroom seed", "headroom import", "headroom token create",
	"headroom cost", "headroom prices show", "headroom prices diff", "headroom prices publish",
	"headroom fetch", "headroom config", "headroom rollups check", "headroom rollups rebuild", "surge run", "surge breakpoint", "surge validate", "surge report",
	"surge compare", "surge replay", "surge forecast", "headroom usage", "headroom top", "headroom gate block", "headroom gate unblock", "headroom gate mode", "headroom gate set", "headroom gate brownout", "headroom gate kill", "headroom gate status",
}

var (
	flagName = regexp.MustCompile(`--[a-z][a-z-]*`)
	command  = regexp.MustCompile(`\b(` + strings.Join(ours, "|") + `)\b`)
)

// TestFlagsExist compares the flags that stand behind a command with its help,
// and those that stand alone with the help of all commands.
func TestFlagsExist(t *testing.T) {
	sources, err := filepath.Glob("cmd/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range sources {
		read(t, file) // go test keeps the result until one of these changes
	}
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", dir+"/", "./cmd/headroom", "./cmd/surge").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	flags, all := map[string][]string{}, []string{"--help"}
	for _, c := range ours {
		words := strings.Fields(c)
		out, err := exec.CommandContext(t.Context(), filepath.Join(dir, words[0]), append(words[1:], "--help")...).Output()
		if err != nil {
			t.Fatalf("%s --help: %v", c, err)
		}
		flags[c] = flagName.FindAllString(string(out), -1)
		all = append(all, flags[c]...)
	}
	for path, text := range pages(t) {
		for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", "")) {
			for _, part := range commands(line) {
				known, name := all, command.FindString(part)
				if name != "" {
					known = flags[name]
				}
				for _, f := range flagName.FindAllString(part, -1) {
					if !slices.Contains(known, f) && !foreign(line) {
						t.Errorf("%s: %s has no flag %s: %s", path, name, f, strings.TrimSpace(line))
					}
				}
			}
		}
	}
}

// commands cuts a line before each of our commands.
func commands(line string) (parts []string) {
	from := 0
	for _, at := range command.FindAllStringIndex(line, -1) {
		parts = append(parts, line[from:at[0]])
		from = at[0]
	}
	return append(parts, line[from:])
}

// foreign tells a line about another program's flags.
func foreign(line string) bool {
	return regexp.MustCompile(`\b(pg_restore|pg_dump|curl|go run) `).MatchString(line)
}

// TestDocumentedNames compares the names that programs rely on with the page
// that lists them.
func TestDocumentedNames(t *testing.T) {
	for _, test := range []struct {
		name, source, names, page string
	}{
		{"codes of requests", "server/fault.go", `= "([A-Z_]+)"`, "docs/errors.md"},
		{"codes of rules", "timesheet/error.go", `Code = "([A-Z_]+)"`, "docs/errors.md"},
		{"codes of rows", "timesheet/importrow.go", `RowCode = "([A-Z_0-9]+)"`, "docs/import.md"},
		{"fields of rows", "timesheet/importrow.go", `ImportField = "([a-z_]+)"`, "docs/import.md"},
		{"metrics", "server/metrics.go", `"headroom_([a-z_]+)"`, "docs/operations.md"},
		{"metrics of the gate", "server/gatemetrics.go", `"headroom_([a-z_]+)"`, "docs/operations.md"},
		{"fields of the log", "server/answer.go", `slog\.(?:String|Int64|Int|Float64)\("([a-z_]+)"`, "docs/operations.md"},
		{"suggestions", "limits/suggestion.go", `= +"([A-Z_]+)" +//`, "docs/errors.md"},
		{"dependencies", "go.mod", `(?m)^\t(?:github\.com/)?([^ ]+?)(?:/v\d+)? v\S+$`, "docs/decisions/0002-dependencies.md"},
		{"fields of a stored run", "loadtest/record.go", `json:"([a-z_0-9]+)`, "docs/stored-runs.md"},
		{"fields of a series", "loadtest/series.go", `json:"([a-z_0-9]+)`, "docs/stored-runs.md"},
		{"fields of a fingerprint", "loadtest/fingerprint.go", `json:"([a-z_0-9]+)`, "docs/stored-runs.md"},
		{"fields of a verdict", "loadtest/verdict.go", `json:"([a-z_0-9]+)`, "docs/stored-runs.md"},
		{"fields of steps", "loadtest/breakpoint.go", `json:"([a-z_0-9]+)`, "docs/stored-runs.md"},
		{"fields of kinds", "loadtest/kinds.go", `json:"([a-z_0-9]+)`, "docs/stored-runs.md"},
		{"fields of counters", "loadtest/counters.go", `json:"([a-z_0-9]+)`, "docs/stored-runs.md"},
		{"rooms", "imports_test.go", `(?m)^\t"(?:store/)?([a-z/]+)": +\{`, "docs/overview.md"},
	} {
		t.Run(test.name, func(t *testing.T) {
			page := read(t, test.page)
			found := regexp.MustCompile(test.names).FindAllStringSubmatch(read(t, test.source), -1)
			if len(found) < 3 {
				t.Fatalf("%s holds %d of them", test.source, len(found))
			}
			for _, m := range found {
				if !regexp.MustCompile(`(?:\b|_)` + regexp.QuoteMeta(m[1]) + `\b`).MatchString(page) {
					t.Errorf("%s does not name %s of %s", test.page, m[1], test.source)
				}
			}
		})
	}
}

// The tests that docs/edge-cases.md names are there.
func TestEdgeCasesAreTested(t *testing.T) {
	var tests strings.Builder
	for _, room := range []string{"store", "timesheet", "graph"} {
		files, err := filepath.Glob(filepath.Join(room, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			tests.WriteString(read(t, file))
		}
	}
	rows := regexp.MustCompile(`(?m)^\| (\d+) \|.*\| (.*) \|$`).FindAllStringSubmatch(read(t, "docs/edge-cases.md"), -1)
	if len(rows) < 40 {
		t.Fatalf("%d cases, want the whole table", len(rows))
	}
	for _, row := range rows {
		names := regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[2], -1)
		if len(names) == 0 {
			t.Errorf("case %s has no test", row[1])
		}
		for _, name := range names {
			// A subtest of a table is written with spaces.
			if words := strings.ReplaceAll(name[1], "_", " "); !strings.Contains(tests.String(), name[1]) && !strings.Contains(tests.String(), words) {
				t.Errorf("case %s: there is no test %s", row[1], name[1])
			}
		}
	}
}
