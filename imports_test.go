// Package headroom holds no code: the product is in the folders below. This
// test keeps their imports pointing one way.
package headroom

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// rooms are what each folder may import of ours, and the dependencies that
// only some may use. Test files may use more: they are not listed by go list's
// Imports.
var rooms = map[string][]string{
	"timesheet":        {},
	"limits":           {},
	"limits/simulate":  {"limits"},
	"npmfetch":         {},
	"spelling":         {},
	"graph":            {"timesheet"},
	"graph/inorder":    {},
	"csvfile":          {"timesheet"},
	"demo":             {"timesheet"},
	"store":            {"timesheet"},
	"store/localpg":    {"npmfetch"},
	"proof":            {"store/localpg"},
	"browsertest":      {"npmfetch"},
	"store/storetest":  {"store", "store/localpg", "npmfetch", "timesheet"},
	"dataloader":       {"store", "timesheet"},
	"resolvers":        {"graph", "dataloader", "store", "timesheet"},
	"server":           {"resolvers", "dataloader", "graph", "limits", "store", "csvfile", "timesheet", "npmfetch", "spelling"},
	"loadtest":         {"demo", "spelling"},
	"cmd/headroom":     {"server", "resolvers", "dataloader", "graph", "limits", "store", "store/localpg", "csvfile", "demo", "timesheet", "npmfetch", "spelling"},
	"cmd/surge":        {"loadtest"},
	"examples":         {}, // its tests drive the server
	"examples/foreign": {"limits"},
}

// reserved are the dependencies with one home each.
var reserved = map[string][]string{
	"github.com/jackc/pgx":        {"store", "store/storetest"},
	"github.com/99designs/":       {"graph", "resolvers", "server", "examples/foreign"},
	"github.com/tsenart/vegeta":   {"loadtest"},
	"github.com/pressly/goose":    {"store"},
	"github.com/vektah/gqlparser": {"graph", "resolvers", "server", "limits", "loadtest", "examples/foreign"},
}

func TestImportsPointOneWay(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal("go list:", err)
	}
	seen := 0
	for d := json.NewDecoder(strings.NewReader(string(out))); ; seen++ {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		room := strings.TrimPrefix(p.ImportPath, "headroom/")
		if room == "headroom" {
			continue
		}
		allowed, known := rooms[room]
		if !known {
			t.Errorf("%s is no room that docs/overview.md describes: add it to both, or move its code", room)
			continue
		}
		for _, path := range p.Imports {
			checkImport(t, room, allowed, path)
		}
	}
	if seen < len(rooms) {
		t.Errorf("go list found %d packages, want at least %d", seen, len(rooms))
	}
}

func checkImport(t *testing.T, room string, allowed []string, path string) {
	t.Helper()
	if ours, ok := strings.CutPrefix(path, "headroom/"); ok && !slices.Contains(allowed, ours) {
		t.Errorf("%s imports %s, which the table does not allow", room, ours)
	}
	for prefix, homes := range reserved {
		if strings.HasPrefix(path, prefix) && !slices.Contains(homes, room) {
			t.Errorf("%s imports %s, which belongs to %s", room, path, strings.Join(homes, ", "))
		}
	}
	if (room == "timesheet" || room == "npmfetch") && strings.Contains(strings.SplitN(path, "/", 2)[0], ".") {
		t.Errorf("%s imports %s, but keeps to the standard library", room, path)
	}
}
