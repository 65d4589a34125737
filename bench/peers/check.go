package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// alike tells whether all peers answer an operation with the same data, as
// several people.
func alike(op operation, peers []*peer, people []person, run func(*peer, person) ([][]byte, error)) error {
	asking := []person{people[0], people[leaders/2]}
	if !op.leaders {
		asking = append(asking, people[len(people)-1])
	}
	for _, who := range asking {
		var first []string
		for i, p := range peers {
			answers, err := run(p, who)
			if err != nil {
				return fmt.Errorf("%s of %s: %w", op.name, p.name, err)
			}
			facts, err := op.facts(answers)
			if err != nil {
				return fmt.Errorf("%s of %s: %w", op.name, p.name, err)
			}
			if i == 0 {
				first = facts
			} else if err := differ(first, facts); err != nil {
				return fmt.Errorf("%s: %s and %s: %w", op.name, peers[0].name, p.name, err)
			}
		}
	}
	return nil
}

func differ(a, b []string) error {
	if len(a) == 0 {
		return fmt.Errorf("the answer is empty")
	}
	if slices.Equal(a, b) {
		return nil
	}
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Errorf("%d and %d facts; the first that differ are %q and %q", len(a), len(b), a[i], b[i])
		}
	}
	return fmt.Errorf("%d and %d facts", len(a), len(b))
}

// facts are what answers say, sorted: each value with the names of its field
// and of what it belongs to. Keys, which are everybody's own, are left out.
func (op operation) facts(answers [][]byte) (facts []string, err error) {
	for _, text := range answers {
		var answer struct {
			Data   any
			Errors json.RawMessage
		}
		if err := json.Unmarshal(text, &answer); err != nil {
			return nil, err
		}
		if answer.Errors != nil || answer.Data == nil {
			return nil, fmt.Errorf("no data: %.300s", text)
		}
		if op.flatten != nil {
			facts = append(facts, op.flatten(answer.Data)...)
		} else {
			facts = append(facts, walk("", "", answer.Data)...)
		}
	}
	slices.Sort(facts)
	return facts, nil
}

// wrapping are fields that only some schemas have around the same thing.
var wrapping = []string{"nodes", "timeEntry", "myDay"}

func walk(owner, name string, value any) (facts []string) {
	switch v := value.(type) {
	case map[string]any:
		if slices.Contains(wrapping, name) {
			name = owner
		}
		for key, child := range v {
			facts = append(facts, walk(name, key, child)...)
		}
	case []any:
		for _, child := range v {
			facts = append(facts, walk(owner, name, child)...)
		}
	default:
		if name != "id" && !(value == nil && name == "") {
			facts = append(facts, owner+"."+name+"="+plainly(value))
		}
	}
	return facts
}

// plainly writes a value so that two ways to write a moment or a number are one.
func plainly(value any) string {
	text := fmt.Sprint(value)
	if f, ok := value.(float64); ok {
		text = fmt.Sprintf("%.0f", f)
	}
	if s, ok := value.(string); ok && strings.Contains(s, "T") {
		if at, err := time.Parse(time.RFC3339, s); err == nil {
			text = at.UTC().Format(time.RFC3339)
		}
	}
	return text
}
