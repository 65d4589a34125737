package examples

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/limits"
)

var update = flag.Bool("update", false, "write the replies that the operations get")

// TestExamples sends every operation to a server of its own, after the ones
// that it refers to, and compares the reply with the file beside it.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("*.graphql")
	if err != nil || len(files) == 0 {
		t.Fatal("no examples:", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(file, ".graphql")
		t.Run(name, func(t *testing.T) {
			s := session{t: t, url: open(t, limits.Rate{}), bodies: map[string]any{}}
			got := s.send(name)
			path := name + ".reply.json"
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatalf("%v; write it with go test ./examples -update", err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s is not what the server answers (-file +server):\n%s", path, diff)
			}
		})
	}
}

// session is a row of examples on one server.
type session struct {
	t      *testing.T
	url    string
	bodies map[string]any // of the replies so far
	mask   masker
}

// head is an example's first line: who sends it, and what has to be sent
// before beside what its variables refer to.
var head = regexp.MustCompile(`^# As (?:the (owner|manager|member)|nobody)[^:]*?(?:, after ([a-z-]+))?(?:, [^:]*)?: `)

// send sends an example and returns its reply, masked.
func (s *session) send(name string) string {
	s.t.Helper()
	query := s.read(name + ".graphql")
	who := head.FindStringSubmatch(string(query))
	if who == nil {
		s.t.Fatalf("%s.graphql does not begin with who sends it, such as # As the owner: ...", name)
	}
	s.ensure(who[2])
	variables := s.variables(name)
	body, err := json.Marshal(map[string]any{"query": string(query), "variables": variables})
	if err != nil {
		s.t.Fatal(err)
	}
	status, reply := post(s.t, s.url, who[1], body)
	var decoded any
	if err := json.Unmarshal(reply, &decoded); err != nil {
		s.t.Fatalf("%s: %v\n%s", name, err, reply)
	}
	s.bodies[name] = decoded
	var text bytes.Buffer
	if err := json.Indent(&text, fmt.Appendf(nil, `{"status":%d,"body":%s}`, status, reply), "", "  "); err != nil {
		s.t.Fatal(err)
	}
	return s.mask.text(text.String()) + "\n"
}

// ensure sends an example unless it was sent.
func (s *session) ensure(name string) {
	s.t.Helper()
	if _, sent := s.bodies[name]; name != "" && !sent {
		s.send(name)
	}
}

// variables are those of an example, if it has any, with what they take from
// other replies.
func (s *session) variables(name string) (values map[string]any) {
	s.t.Helper()
	if _, err := os.Stat(name + ".variables.json"); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := json.Unmarshal(s.read(name+".variables.json"), &values); err != nil {
		s.t.Fatalf("%s.variables.json: %v", name, err)
	}
	return s.resolve(values).(map[string]any)
}

// reference stands for a value of another example's reply.
var reference = regexp.MustCompile(`^<([a-z-]+): ([A-Za-z0-9.]+)>$`)

func (s *session) resolve(v any) any {
	s.t.Helper()
	switch v := v.(type) {
	case map[string]any:
		for name := range v {
			v[name] = s.resolve(v[name])
		}
	case []any:
		for i := range v {
			v[i] = s.resolve(v[i])
		}
	case string:
		if m := reference.FindStringSubmatch(v); m != nil {
			s.ensure(m[1])
			return s.at(m[1], m[2])
		}
	}
	return v
}

// at is the value at a dotted path of a reply.
func (s *session) at(name, path string) any {
	s.t.Helper()
	v := s.bodies[name]
	for step := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(in) {
				s.t.Fatalf("the reply of %s has no %s", name, path)
			}
			v = in[i]
		}
	}
	if v == nil {
		s.t.Fatalf("the reply of %s has no %s", name, path)
	}
	return v
}

func (s *session) read(file string) []byte {
	s.t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

func post(t *testing.T, url, token string, body []byte) (status int, reply []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/graphql-response+json, application/json;q=0.9")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, text.Bytes()
}

// masker replaces what differs from run to run by a word in angle brackets.
// Equal ids get equal numbers, also from one reply of a session to the next.
type masker struct{ ids []string }

// line is a scalar member of an indented object.
var line = regexp.MustCompile(`(?m)^( *"(\w+)": )(".*"|[-0-9.e]+)(,?)$`)

func (m *masker) text(indented string) string {
	return line.ReplaceAllStringFunc(strings.TrimSpace(indented), func(member string) string {
		parts := line.FindStringSubmatch(member)
		if word := m.word(parts[2], strings.Trim(parts[3], `"`)); word != "" {
			return parts[1] + `"<` + word + `>"` + parts[4]
		}
		return member
	})
}

// word is what stands for a member's value, empty for the value itself.
func (m *masker) word(name, value string) string {
	switch name {
	case "id":
		return fmt.Sprintf("id %d", m.number(value))
	case "endCursor":
		return "cursor"
	case "claim", "token", "requestId":
		return name
	case "actualQueryCost", "currentlyAvailable":
		if _, err := strconv.ParseFloat(value, 64); err == nil {
			return "points"
		}
	}
	at, err := time.Parse(time.RFC3339, value)
	switch {
	case err != nil:
		return ""
	case time.Since(at).Abs() < time.Hour:
		return "now"
	case (time.Until(at) - 7*24*time.Hour).Abs() < time.Hour:
		return "in 7 days"
	}
	return ""
}

func (m *masker) number(id string) int {
	if !slices.Contains(m.ids, id) {
		m.ids = append(m.ids, id)
	}
	return slices.Index(m.ids, id) + 1
}
