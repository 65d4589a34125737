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

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// The files of vegeta's form, which its report and plot read. Dropped arrivals
// are apart because their 0 ms would flatter.
const (
	runFile     = "run.json"
	resultsFile = "results.csv"
	droppedFile = "dropped.csv"
)

// write puts the run's files into a folder: what was sent first, since it is the
// most, then what became of it. A disk that is full keeps of the results what
// it can hold, and voids a pass, as a folder does that cannot be written to any
// more; nothing else is lost.
func (r *Record) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		r.void(fmt.Sprintf("the run could not be stored: %v", err))
		return nil
	}
	var sum bytes.Buffer
	if err := r.writeJSON(&sum); err != nil {
		return fmt.Errorf("encode the run: %w", err)
	}
	for name, dropped := range map[string]bool{resultsFile: false, droppedFile: true} {
		err := writeFile(filepath.Join(dir, name), int64(2*sum.Len()), func(w io.Writer) error { return r.done.results(w, dropped) })
		if err != nil {
			r.void(fmt.Sprintf("%s is not whole: %v", name, err))
		}
	}
	run := func(w io.Writer) error {
		if r.voided {
			return r.writeJSON(w)
		}
		_, err := w.Write(sum.Bytes())
		return err
	}
	for name, fill := range map[string]func(io.Writer) error{runFile: run, "report.txt": r.WriteText} {
		if err := writeFile(filepath.Join(dir, name), 0, fill); err != nil {
			r.void(fmt.Sprintf("%s could not be stored: %v", name, err))
		}
	}
	return nil
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
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, runFile)
	}
	text, err := os.ReadFile(path)
	if err != nil {
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
	return r, nil
}

// writeFile fills a file beside its place and moves it there. An empty one is
// removed instead: no such thing was seen. If room is not 0, a file that cannot
// be written whole is kept up to its last whole line, less so much room for what
// is still to be written.
func writeFile(path string, room int64, fill func(io.Writer) error) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".surge-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // gone already if all went well
	defer file.Close()
	buffered := bufio.NewWriter(file)
	failed := fill(buffered)
	if failed == nil {
		failed = buffered.Flush()
	}
	if failed != nil {
		if room == 0 {
			return failed
		}
		if err := shorten(file, room); err != nil {
			return errors.Join(failed, err)
		}
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(failed, err)
	}
	if err := file.Close(); err != nil {
		return errors.Join(failed, err)
	}
	return errors.Join(failed, settle(file.Name(), path, info.Size()))
}

// settle moves a file to its place, or removes what is there if it is empty.
func settle(name, path string, size int64) error {
	if size == 0 {
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			return err
		}
		return nil
	}
	if err := os.Chmod(name, 0o644); err != nil {
		return err
	}
	return os.Rename(name, path)
}

// shorten cuts a file by so much and more, to the end of a line.
func shorten(file *os.File, by int64) error {
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	keep := max(0, size-by)
	tail := make([]byte, min(keep, 64<<10))
	if _, err := file.ReadAt(tail, keep-int64(len(tail))); err != nil {
		return err
	}
	return file.Truncate(keep - int64(len(tail)) + int64(bytes.LastIndexByte(tail, '\n')+1))
}

// results writes the arrivals as vegeta's results: one for each, in the order
// of dues, the time being the due time and the latency the response time. Each
// phase of each round is an attack of its own, whose Seq runs from 0 without a
// gap, because plot silently drops what comes after a gap.
func (f *finished) results(w io.Writer, dropped bool) error {
	encode := vegeta.NewCSVEncoder(w)
	for number, round := range f.rounds {
		for _, span := range round.plan.phases {
			name := span.Name
			if number > 0 {
				name = fmt.Sprintf("%s-%d", span.Name, number+1)
			}
			var seq uint64
			var failed error
			round.samples(span.Name, "", func(s sample) {
				if s.outcome == Unsent || (s.outcome == Dropped) != dropped || failed != nil {
					return
				}
				failed = encode(round.result(s, name, seq))
				seq++
			})
			if failed != nil {
				return failed
			}
		}
	}
	return nil
}

// result is a sample in vegeta's form; the operation stands in the fragment.
func (a *attack) result(s sample, name string, seq uint64) *vegeta.Result {
	r := &vegeta.Result{
		Attack: name, Seq: seq, Code: s.status, Timestamp: a.start.Add(s.due), Latency: s.response(),
		BytesIn: uint64(s.bytes), Method: "POST",
		URL: a.client.target.String() + "#op=" + a.deck.operations[s.op].Name,
	}
	if s.outcome != OK {
		r.Error = s.outcome.String()
	}
	return r
}
