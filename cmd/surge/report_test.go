package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// storedRun is the smallest run that a report reads.
const storedRun = `{"surge_run":1,"scenario":"smoke","rounds":1,"verdict":{"exit":3,"verdict":"FAIL","reasons":["interactive shed 0: 4"],
"objectives":[{"class":"interactive","objective":"shed 0","observed":"4","samples":100,"bad":4,"decision":"violated"}]},"line":"FAIL     interactive shed 4 (0)"}`

func TestReport(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	stored := write("run.json", storedRun)
	page := filepath.Join(dir, "page.html")
	for _, test := range []struct {
		name string
		args []string
		exit int
		says string
	}{
		{"text", []string{dir}, 0, "FAIL     interactive shed 4 (0)"},
		{"Markdown to the output", []string{stored, "--markdown", "-"}, 0, "FAIL** interactive shed 0: 4"},
		{"JSON to the output", []string{stored, "--json", "-"}, 0, `"cause": "interactive shed 0: 4"`},
		{"a page", []string{stored, "--html", page}, 0, ""},
		{"no such run", []string{filepath.Join(dir, "none")}, 1, "none"},
		{"no run", []string{write("other.json", `{"a":1}`)}, 1, "other.json has the form 0"},
		{"a newer run", []string{write("newer.json", `{"surge_run":99}`)}, 1, "newer.json has the form 99"},
		{"no folder for the page", []string{stored, "--html", filepath.Join(dir, "no", "page.html")}, 1, "no/page.html"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			got := run(t.Context(), append([]string{"report"}, test.args...), &stdout, &stderr)
			if int(got) != test.exit || !strings.Contains(stdout.String()+stderr.String(), test.says) {
				t.Errorf("exit %d, want %d and %q\n%s%s", got, test.exit, test.says, stdout.String(), stderr.String())
			}
		})
	}
	text, err := os.ReadFile(page)
	if err != nil || !bytes.Contains(text, []byte("<!doctype html>")) {
		t.Errorf("the page: %v", err)
	}
}

// What is no file is written to and stays what it is, and so does a link.
func TestReportInPlace(t *testing.T) {
	dir := t.TempDir()
	stored, pipe, target, link := filepath.Join(dir, "run.json"), filepath.Join(dir, "pipe"), filepath.Join(dir, "page"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(stored, []byte(storedRun), 0o600), syscall.Mkfifo(pipe, 0o600), os.WriteFile(target, nil, 0o600), os.Symlink("page", link)); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(pipe, os.O_RDWR, 0) // for both, so that neither side waits for the other
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	var said bytes.Buffer
	if code := run(t.Context(), []string{"report", stored, "--markdown", pipe, "--html", link}, &said, &said); code != 0 {
		t.Fatalf("exit %d: %s", code, &said)
	}
	for path, kind := range map[string]os.FileMode{pipe: os.ModeNamedPipe, link: os.ModeSymlink, target: 0} {
		if info, err := os.Lstat(path); err != nil || info.Mode().Type() != kind {
			t.Fatalf("%s is now %v, %v; want %v", path, info.Mode().Type(), err, kind)
		}
	}
	first := make([]byte, 64)
	n, err := reader.Read(first)
	if err != nil || !strings.HasPrefix(string(first[:n]), "**surge ") {
		t.Errorf("through the pipe came %q, %v", first[:n], err)
	}
	if page, err := os.ReadFile(target); err != nil || !bytes.Contains(page, []byte("<!doctype html>")) {
		t.Errorf("behind the link there are %d bytes, %v; want the page", len(page), err)
	}
}
