package loadtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// The files of a stored run. Results have vegeta's form, which its report and plot
// read.
const (
	runFile     = "run.json"
	reportFile  = "report.txt"
	resultsFile = "results.csv"
	droppedFile = "dropped.csv"
)

// write puts the run's files into a folder, where its results are already if it was
// recorded. A disk that is full keeps of the results what it can hold, and voids a
// pass, as a folder does that cannot be written to any more; nothing else is lost.
func (r *Record) write(dir string) error {
	recorded, err := r.done.recorded(dir)
	if err != nil {
		r.void(fmt.Sprintf("the run could not be stored: %v", err))
		return nil
	}
	var sum bytes.Buffer
	if err := r.writeJSON(&sum); err != nil {
		return fmt.Errorf("encode the run: %w", err)
	}
	for _, failed := range recorded.close(int64(2 * sum.Len())) {
		r.void(failed.Error())
	}
	run := func(w io.Writer) error {
		if r.voided {
			return r.writeJSON(w)
		}
		_, err := w.Write(sum.Bytes())
		return err
	}
	for name, fill := range map[string]func(io.Writer) error{runFile: run, reportFile: r.WriteText} {
		if err := writeFile(filepath.Join(dir, name), fill); err != nil {
			r.void(fmt.Sprintf("%s could not be stored: %v", name, err))
		}
	}
	return nil
}

// recorded is the recording of a run; what was sent without one is recorded now.
func (f *finished) recorded(dir string) (*recording, error) {
	if f.recording != nil {
		return f.recording, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	r, err := record(dir)
	if err != nil {
		return nil, err
	}
	for number, round := range f.rounds {
		r.advance(round, &place{round: number}, true)
	}
	return r, nil
}

// void makes a pass invalid, for a reason that is shown with every verdict.
func (r *Record) void(reason string) {
	r.Verdict.Reasons, r.voided = append(r.Verdict.Reasons, reason), true
	if r.Verdict.Exit == ExitPass {
		r.Verdict.Exit, r.Verdict.Word = ExitInvalid, "INVALID"
		r.Line = "INVALID  " + reason
	}
}

// usable makes sure before a run that its folder can be written to.
func usable(dir string) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return stopf(ExitUsage, "make the folder for the results: %w", err)
	}
	file, err := os.CreateTemp(dir, ".surge-*")
	if err != nil {
		return stopf(ExitUsage, "write to the folder for the results: %w", err)
	}
	_ = file.Close() // nothing was written to it
	return os.Remove(file.Name())
}

func (r *Record) writeJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", " ")
	return encoder.Encode(r)
}

// ReadRecord reads the run stored in a folder, or in a file such as its
// run.json.
func ReadRecord(path string) (*Record, error) {
	dir := path
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, runFile)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		if _, sent := os.Stat(filepath.Join(dir, resultsFile)); sent == nil {
			return nil, fmt.Errorf("%s holds results and no verdict: surge was ended before there was one; vegeta report reads its %s", dir, resultsFile)
		}
		return nil, fmt.Errorf("read a stored run: %w", err)
	}
	var version struct {
		Version int `json:"surge_run"`
	}
	if err := json.Unmarshal(text, &version); err != nil {
		return nil, fmt.Errorf("%s is no stored run: %w", path, err)
	}
	if version.Version != RecordVersion {
		return nil, fmt.Errorf("%s has the form %d of a stored run; this surge reads form %d", path, version.Version, RecordVersion)
	}
	r := &Record{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("read the stored run %s: %w", path, err)
	}
	if r.Verdict.Word == "" {
		return nil, fmt.Errorf("%s holds no verdict: it is no stored run that came to an end", path)
	}
	return r, nil
}

// writeFile fills a file beside its place and moves it there.
func writeFile(path string, fill func(io.Writer) error) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".surge-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // gone already if all went well
	defer file.Close()
	buffered := bufio.NewWriter(file)
	if err := fill(buffered); err != nil {
		return err
	}
	if err := errors.Join(buffered.Flush(), file.Chmod(0o644), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// textRoom is what the text of a run takes, and more.
const textRoom = 16 << 10

// shorten cuts a file by so much and more, to the end of a line. Where it holds less
// than that, nothing would be won, and it is cut by as much as a text takes.
func shorten(file *os.File, by int64) error {
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if size < by {
		by = textRoom
	}
	keep := max(0, size-by)
	tail := make([]byte, min(keep, 64<<10))
	if _, err := file.ReadAt(tail, keep-int64(len(tail))); err != nil {
		return err
	}
	return file.Truncate(keep - int64(len(tail)) + int64(bytes.LastIndexByte(tail, '\n')+1))
}
