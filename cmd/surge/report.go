package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"headroom/loadtest"
)

type reportCommand struct {
	Runs     []string `arg:"" name:"run" help:"Folders of stored runs, as written by surge run --out, or their run.json."`
	HTML     string   `name:"html" placeholder:"FILE" help:"Write one page that opens from disk without a network."`
	JSON     string   `name:"json" placeholder:"FILE" help:"Write the verdicts and what decided them for programs."`
	JUnit    string   `name:"junit" placeholder:"FILE" help:"Write JUnit XML: a test case for each promise."`
	Markdown string   `placeholder:"FILE" help:"Write a summary for a pull request, its cause first."`
}

// Help is shown below the flags.
func (reportCommand) Help() string {
	return `Without a flag it prints the text of each run. FILE may be - for the standard output.

Examples:
  surge report surge-out
  surge report surge-out --html report.html --junit surge.xml --markdown -
  surge report storm/on storm/off --html both.html`
}

// do reports on stored runs. It says nothing about them by its exit code: the
// verdict was given when they ran.
func (r reportCommand) do(_ context.Context, stdout, _ io.Writer) (loadtest.Exit, error) {
	runs, err := readRuns(r.Runs)
	if err != nil {
		return 0, err
	}
	if r.HTML+r.JSON+r.JUnit+r.Markdown == "" {
		for _, run := range runs {
			if err := run.WriteText(stdout); err != nil {
				return 0, err
			}
		}
		return loadtest.ExitPass, nil
	}
	study := loadtest.NewStudy(runs, r.Runs)
	return loadtest.ExitPass, writeAll(stdout, file{r.HTML, study.WriteHTML}, file{r.JSON, study.WriteJSON}, file{r.JUnit, study.WriteJUnit}, file{r.Markdown, study.WriteMarkdown})
}

func readRuns(paths []string) ([]*loadtest.Record, error) {
	var runs []*loadtest.Record
	for _, path := range paths {
		run, err := loadtest.ReadRecord(path)
		if err != nil {
			return nil, err
		}
		runs = append(runs, run)
	}
	return runs, nil
}

// file is one that may be asked for, and what fills it.
type file struct {
	path  string
	write func(io.Writer) error
}

// writeAll fills each file that was asked for.
func writeAll(stdout io.Writer, files ...file) error {
	var failed []error
	for _, f := range files {
		switch f.path {
		case "":
		case "-", "/dev/stdout":
			failed = append(failed, f.write(stdout))
		default:
			failed = append(failed, writeTo(f.path, f.write))
		}
	}
	return errors.Join(failed...)
}

// writeTo fills a file beside its place and moves it there, so that a full disk
// leaves the old one. What is no file, such as a pipe, is written to and stays; so does
// a link.
func writeTo(path string, write func(io.Writer) error) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err == nil {
			err = errors.Join(write(file), file.Close())
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
		return nil
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".surge-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(file.Name()) // gone already if all went well
	defer file.Close()
	if err := errors.Join(write(file), file.Chmod(0o644), file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(file.Name(), path)
}
