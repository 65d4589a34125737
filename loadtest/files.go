package loadtest

import (
	"bufio"
	"encoding/json"
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

// write puts the run's files into a folder, each whole or not at all.
func (r *Record) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder for the results: %w", err)
	}
	for _, file := range []struct {
		name string
		fill func(io.Writer) error
	}{
		{runFile, r.writeJSON},
		{"report.txt", r.WriteText},
		{resultsFile, func(w io.Writer) error { return r.done.results(w, false) }},
		{droppedFile, func(w io.Writer) error { return r.done.results(w, true) }},
	} {
		if err := writeFile(filepath.Join(dir, file.name), file.fill); err != nil {
			return fmt.Errorf("write the results: %w", err)
		}
	}
	return nil
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
// removed instead: no such thing was seen.
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
	if err := buffered.Flush(); err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	if info.Size() == 0 {
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			return err
		}
		return nil
	}
	if err := os.Chmod(file.Name(), 0o644); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
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
