package loadtest

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// vegeta's own commands, built from the module that drives surge, read what
// surge writes: report counts every arrival, and plot shows every point.
func TestVegetaCommandsReadTheResults(t *testing.T) {
	dir := t.TempDir()
	r := stormRun(t, testStormFor, wavy)
	if err := r.write(dir); err != nil {
		t.Fatal(err)
	}
	results := filepath.Join(dir, resultsFile)
	sent := len(readResults(t, results))
	run := func(command string) string {
		var said strings.Builder // of modules that are fetched, too
		tool := exec.CommandContext(t.Context(), "go", "tool", "-modfile=../tools/go.mod", "vegeta", command, results)
		tool.Stderr = &said
		out, err := tool.Output()
		if err != nil {
			t.Fatalf("vegeta %s: %v\n%.500s", command, err, said.String())
		}
		return string(out)
	}
	report := run("report")
	if line, _, _ := strings.Cut(report, "\n"); !strings.Contains(line, fmt.Sprintf(" %d,", sent)) {
		t.Errorf("vegeta report says %q, want %d requests", line, sent)
	}
	if plot := run("plot"); !strings.Contains(plot, "storm: OK") || !strings.Contains(plot, "storm: ERROR") || !strings.Contains(plot, "recover: OK") {
		t.Errorf("vegeta plot lacks the storm and its refusals: %.300s", plot[max(0, len(plot)-300):])
	}
}
