package resolvers_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"headroom/proof"
	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

// trial is what two executors are asked: the same documents, as the same people, of
// the same database.
type trial struct {
	DSN       string
	People    map[timesheet.Role]timesheet.Viewer
	Documents []string
}

// askers are the roles that every drawn document is asked as; what admins see is
// what owners see.
var askers = [...]timesheet.Role{owner, manager, member, viewer}

// trialFile names the trial that a process is to answer, and beside it its answers.
const trialFile = "HEADROOM_EXECUTOR_TRIAL"

// What gqlgen generates and what graph/inorder makes of it give the same bytes and
// the same errors, for documents that are drawn from the whole schema. The other
// executor is compiled here, into a process of its own: the two forms of
// generated.go are one package.
func TestExecutorsAgree(t *testing.T) {
	if path := os.Getenv(trialFile); path != "" {
		answerTrial(t, path)
		return
	}
	if testing.Short() {
		t.Skip("it compiles the other executor, after a change of the schema ten seconds of both processors")
	}
	n := proof.Size(t, 2000, 40)
	dsn := storetest.New(t)
	s, err := store.Open(t.Context(), store.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w := worldOn(s)
	w.people = w.workspace(t, "Acme")
	ids := w.odd(t)
	g := &drawer{random: proof.Rand(t, 0), schema: w.schema, ids: ids}
	asks := trial{DSN: dsn, People: w.people}
	for range n {
		asks.Documents = append(asks.Documents, g.document())
	}
	here := w.answers(t.Context(), asks)
	there := elsewhere(t, otherExecutor(t), asks)
	bytes, failed, refused := 0, 0, 0
	for i := range here {
		bytes += len(here[i].Data)
		switch {
		case here[i].Data == "":
			refused++
		case len(here[i].Errors) > 0:
			failed++
		}
		if here[i].Data != there[i].Data || !slices.Equal(here[i].Errors, there[i].Errors) {
			t.Errorf("as %s, in order and by gqlgen:\n%s\n%s %v\n%s %v", askers[i%len(askers)], asks.Documents[i/len(askers)], here[i].Data, here[i].Errors, there[i].Data, there[i].Errors)
		}
	}
	proof.Result(t, "%d documents, each as %d roles, %d bytes of answers, the same from both; %d answers came with errors, the same too; %d were to no valid document", n, len(askers), bytes, failed, refused)
	if refused > len(here)/20 {
		t.Errorf("%d of %d answers are to no valid document: the draw does not follow the schema", refused, len(here))
	}
}

// raw is an answer as it is written, and its errors in any order.
type raw struct {
	Data   string
	Errors []string
}

// answers are those to every document, as every role.
func (w *world) answers(ctx context.Context, asks trial) (all []raw) {
	for _, document := range asks.Documents {
		for _, role := range askers {
			all = append(all, w.raw(ctx, asks.People[role], document))
		}
	}
	return all
}

func (w *world) raw(ctx context.Context, v timesheet.Viewer, document string) raw {
	response, _ := w.respond(ctx, &v, document, nil)
	got := raw{Data: string(response.Data)}
	for _, e := range response.Errors {
		text, err := json.Marshal(e)
		if err != nil {
			panic(err) // errors are written to clients
		}
		got.Errors = append(got.Errors, string(text))
	}
	slices.Sort(got.Errors)
	return got
}

func answerTrial(t *testing.T, path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var asks trial
	if err := json.Unmarshal(text, &asks); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), store.Config{DSN: asks.DSN})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if text, err = json.Marshal(worldOn(s).answers(t.Context(), asks)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".answers", text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// elsewhere has another process answer.
func elsewhere(t *testing.T, program string, asks trial) (answers []raw) {
	t.Helper()
	text, err := json.Marshal(asks)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "trial.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-test.run", "^TestExecutorsAgree$")
	cmd.Env = append(os.Environ(), trialFile+"="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the other executor: %v\n%s", err, out)
	}
	if text, err = os.ReadFile(path + ".answers"); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &answers); err != nil {
		t.Fatal(err)
	}
	if want := len(asks.Documents) * len(askers); len(answers) != want {
		t.Fatalf("%d of %d are answered", len(answers), want)
	}
	return answers
}

// otherExecutor compiles this test with what gqlgen generates, before graph/inorder.
func otherExecutor(t *testing.T) (program string) {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, "graph", "generated.go"): otherForm(t, root)}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	program = filepath.Join(dir, "other.test")
	goIn(t, root, "test", "-c", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, "./resolvers")
	return program
}

// otherForm is a file of what gqlgen generates. It is kept in the user's cache until
// something changes that it is generated from.
func otherForm(t *testing.T, root string) string {
	t.Helper()
	dir, sum := t.TempDir(), sha256.New()
	for _, from := range []string{"graph", "timesheet", "go.mod", "go.sum", "gqlgen.yml"} {
		err := filepath.WalkDir(filepath.Join(root, from), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			name, err := filepath.Rel(root, path)
			if err != nil || d.IsDir() {
				return errors.Join(err, os.MkdirAll(filepath.Join(dir, name), 0o700))
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if d.Name() != "generated.go" { // it is the one that is to be made
				fmt.Fprintf(sum, "%s %d %s", name, len(text), text)
			}
			return os.WriteFile(filepath.Join(dir, name), text, 0o600)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	kept := filepath.Join(cache, "headroom", fmt.Sprintf("gqlgen-%x.go", sum.Sum(nil)[:12]))
	if _, err := os.Stat(kept); err == nil {
		return kept
	}
	goIn(t, dir, "tool", "gqlgen", "generate")
	made := filepath.Join(dir, "graph", "generated.go")
	// Another file system or a read-only cache: then it is made anew each time.
	if err := errors.Join(os.MkdirAll(filepath.Dir(kept), 0o755), os.Rename(made, kept)); err != nil {
		t.Logf("it is not kept: %v", err)
		return made
	}
	return kept
}

func goIn(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %v: %v\n%s", args, err, out)
	}
}

// odd fills the workspace with what is hard to write and with what is not there any
// more, and returns ids of all of it and of nothing.
func (w *world) odd(t *testing.T) (ids []string) {
	t.Helper()
	names := []string{`quo"te \ back`, "line\u2028and paragraph\u2029", "emoji 👩🏽‍🎨 </script>&", "\u202eright to left", "ﷺ", "é e\u0301"}
	texts := append([]string{"tab\tnew\nline\rbell\a\x01\x1f\x7f", ""}, names...)
	olga := w.people[owner]
	keep := func(id string) string {
		ids = append(ids, id)
		return id
	}
	for i, name := range names {
		client := keep(w.must(t, olga, "createClient", "client", map[string]any{"name": name}))
		in := map[string]any{"name": name, "billable": i%2 == 0}
		if i%3 > 0 {
			in["clientId"] = client
		}
		project := keep(w.must(t, olga, "createProject", "project", in))
		task := keep(w.must(t, olga, "createTask", "task", map[string]any{"projectId": project, "name": name}))
		tag := keep(w.must(t, olga, "createTag", "tag", map[string]any{"name": name}))
		if i == 0 {
			w.must(t, olga, "setBudget", "project", map[string]any{"projectId": project, "seconds": 36000, "period": "MONTHLY"})
		}
		for role, v := range w.people {
			if role == viewer {
				continue
			}
			if role == member && i < 4 {
				w.must(t, olga, "setProjectMember", "project", map[string]any{"projectId": project, "userId": w.userID(t, member)})
			}
			for hour, text := range texts {
				entry := map[string]any{"startedAt": fmt.Sprintf("2026-03-%02dT%02d:00:00Z", 2+i, hour+1), "endedAt": fmt.Sprintf("2026-03-%02dT%02d:30:00Z", 2+i, hour+1), "description": text}
				if (role != member || i < 4) && hour%3 > 0 {
					entry["projectId"], entry["tagIds"] = project, []string{tag}
					if hour%2 > 0 {
						entry["taskId"] = task
					}
				}
				id := w.must(t, v, "createTimeEntry", "timeEntry", entry)
				if hour == 5 {
					w.mutate(t, &olga, "deleteTimeEntry", map[string]any{"id": id})
				}
				if hour < 2 || hour == 5 {
					keep(id)
				}
			}
		}
		switch i {
		case 1:
			w.mutate(t, &olga, "deleteProject", map[string]any{"id": project})
		case 2:
			w.mutate(t, &olga, "archiveProject", map[string]any{"id": project, "archived": true})
		case 3:
			w.mutate(t, &olga, "deleteTask", map[string]any{"id": task})
			w.mutate(t, &olga, "deleteTag", map[string]any{"id": tag})
		case 4:
			w.mutate(t, &olga, "deleteClient", map[string]any{"id": client})
		}
	}
	w.timer(t, w.people[member])
	return append(ids, w.client(t), w.person(t), "UHJvamVjdDo5OTk5OTk", "nonsense", "")
}
