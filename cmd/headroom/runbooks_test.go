package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

// told is a command that a runbook gives, and the page.
type told struct{ page, command string }

var inline = regexp.MustCompile("(?s)`((?:headroom|SELECT|ANALYZE|curl|psql) [^`]+)`")

// commandsOfRunbooks are those in blocks of sh and in the text, each once.
func commandsOfRunbooks(t *testing.T) (all []told) {
	t.Helper()
	pages, err := filepath.Glob("../../docs/runbooks/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatal("there are no runbooks", err)
	}
	seen := map[string]bool{}
	add := func(page, command string) {
		if command = strings.Join(strings.Fields(command), " "); command != "" && !seen[command] {
			seen[command] = true
			all = append(all, told{filepath.Base(page), command})
		}
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for i, part := range strings.Split(string(text), "```") {
			block, isBlock := strings.CutPrefix(part, "sh\n")
			switch {
			case isBlock:
				for line := range strings.Lines(block) {
					add(page, line)
				}
			case i%2 == 0:
				for _, m := range inline.FindAllStringSubmatch(part, -1) {
					add(page, m[1])
				}
			}
		}
	}
	return all
}

// words splits a command as a shell does, with either kind of quotes.
func words(command string) (out []string) {
	for _, m := range regexp.MustCompile(`'([^']*)'|"([^"]*)"|(\S+)`).FindAllStringSubmatch(command, -1) {
		out = append(out, m[1]+m[2]+m[3])
	}
	return out
}

// At night nobody should find out that a command of a page does not work: each is run
// against a server that people use.
func TestCommandsOfRunbooks(t *testing.T) {
	dsn := storetest.New(t)
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	made := runs(t, "token", "create", "--database-url", dsn, "--workspace", "Acme", "--email", "ann@acme.example")
	if made.code != 0 {
		t.Fatal(made.stderr)
	}
	past, err := store.Open(t.Context(), store.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	defer past.Close()
	if err := past.AddUsage(t.Context(), time.Now(), map[timesheet.WorkspaceID]store.Demand{1: {Operations: 900, Work: 18 * time.Second}}); err != nil {
		t.Fatal(err)
	}
	p := serve(t, "--database-url", dsn, "--log-level", "info")
	waitUntil(t, "the headroom is known", func() bool { return p.gauge("headroom_ratio") > 0 })
	for client, query := range map[string]string{
		"mobile@3.1.0":  `query Year { viewer { role } }`,
		"dashboard@1.0": `mutation StopTimer { stopTimer(input: {}) { userErrors { code } } }`,
	} {
		if status, body, err := postAs(p.url, strings.TrimSpace(made.out), client, query); err != nil || status != http.StatusOK {
			t.Fatalf("%s: %d %s %v", client, status, body, err)
		}
	}
	labels := regexp.MustCompile(`(?:Year|StopTimer)#[0-9a-f]{8}`).FindAllString(runs(t, "top", "--once", "--admin-url", p.admin).out, -1)
	commands := commandsOfRunbooks(t)
	if len(commands) < 15 {
		t.Errorf("only %d commands were found: the test no longer reads the pages", len(commands))
	}
	for _, c := range commands {
		t.Run(c.page+": "+c.command, func(t *testing.T) {
			if err := tryCommand(t, p, db, dsn, labels, c.command); err != nil {
				t.Error(err)
			}
		})
	}
}

// tryCommand runs a command of a page, with the addresses and documents of this test.
func tryCommand(t *testing.T, p *process, db *sql.DB, dsn string, labels []string, command string) error {
	t.Helper()
	made := regexp.MustCompile(`(\w+)#3fa9c1d2`) // as the pages write it
	command = made.ReplaceAllStringFunc(command, func(name string) string {
		for _, label := range labels {
			if strings.HasPrefix(label, strings.TrimSuffix(name, "3fa9c1d2")) {
				return label
			}
		}
		return name
	})
	args := words(strings.ReplaceAll(command, "http://127.0.0.1:8081", p.admin))
	switch args[0] {
	case "headroom":
		return tryHeadroom(t, p, dsn, args[1:])
	case "curl":
		return tryURL(args)
	case "psql":
		_, err := db.ExecContext(t.Context(), args[len(args)-1])
		return err
	case "SELECT", "ANALYZE":
		_, err := db.ExecContext(t.Context(), command)
		return err
	case "journalctl":
		if !strings.Contains(p.log.String(), `"level":"INFO"`) || !strings.Contains(command, `'"level":"ERROR"'`) {
			return fmt.Errorf("the log does not tell levels as %s looks for them", command)
		}
		return nil
	}
	return fmt.Errorf("nobody has tried %s", args[0])
}

func tryHeadroom(t *testing.T, p *process, dsn string, args []string) error {
	t.Helper()
	args, _, _ = cutWord(args, ">") // the test reads what is printed
	switch args[0] {
	case "rollups", "usage":
		args = append(args, "--database-url", dsn)
	default:
		args = append(args, "--admin-url", p.admin)
	}
	if len(args) > 2 && args[0] == "gate" && args[1] == "unblock" && !strings.Contains(strings.Join(args, " "), "--reason") {
		args = append(args, "--client", "mobile@3.1.0", "--reason", "over") // the page names the command alone
	}
	if r := runs(t, args...); r.code != 0 {
		return fmt.Errorf("headroom %s: exit %d, %s%s", strings.Join(args, " "), r.code, r.out, r.stderr)
	}
	return nil
}

func cutWord(args []string, word string) (before, after []string, found bool) {
	for i, a := range args {
		if a == word {
			return args[:i], args[i+1:], true
		}
	}
	return args, nil, false
}

// tryURL asks for what curl would, and for the path that jq would show of it.
func tryURL(args []string) error {
	var path string
	asks, filter, piped := cutWord(args, "|")
	resp, err := client.Get(asks[len(asks)-1])
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %d %s %v", asks[len(asks)-1], resp.StatusCode, body, err)
	}
	if piped {
		path = strings.TrimPrefix(filter[len(filter)-1], ".")
	}
	var found any
	if err := json.Unmarshal(body, &found); err != nil {
		return err
	}
	for name := range strings.SplitSeq(path, ".") {
		object, ok := found.(map[string]any)
		if found, ok = object[name], name == "" || ok; !ok {
			return fmt.Errorf("%s has no %s", asks[len(asks)-1], path)
		}
	}
	return nil
}
