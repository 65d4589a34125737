package resolvers_test

import (
	"strings"
	"testing"

	"headroom/timesheet"
)

func TestPagesGoBothWays(t *testing.T) {
	w := newWorld(t)
	v := w.people[owner]
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		w.must(t, v, "createTag", "tag", map[string]any{"name": name})
	}
	document := `query($first: Int, $after: String, $last: Int, $before: String, $order: ListOrder! = NAME, $text: String) {
		tags(first: $first, after: $after, last: $last, before: $before, orderBy: $order, filter: {text: $text}) {
			edges { cursor node { name } } nodes { name } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount } }`
	ask := func(variables map[string]any) (list any, tags string) {
		t.Helper()
		list = at(w.query(t, v, document, variables).data, "tags")
		return list, strings.Join(names(list, "name"), "")
	}
	page, got := ask(map[string]any{"first": 2})
	if got != "ab" || at(page, "pageInfo.hasNextPage") != true || at(page, "pageInfo.hasPreviousPage") != false || at(page, "totalCount") != 5.0 {
		t.Errorf("first 2: got %s, %v", got, page)
	}
	if at(page, "edges.1.cursor") != at(page, "pageInfo.endCursor") || at(page, "edges.1.node.name") != "b" {
		t.Errorf("the last edge is %v, the end cursor %v", at(page, "edges.1"), at(page, "pageInfo.endCursor"))
	}
	if _, got := ask(map[string]any{"first": 2, "after": at(page, "pageInfo.endCursor")}); got != "cd" {
		t.Errorf("the next 2: got %s, want cd", got)
	}
	page, got = ask(map[string]any{"last": 2})
	if got != "de" || at(page, "pageInfo.hasNextPage") != false || at(page, "pageInfo.hasPreviousPage") != true {
		t.Errorf("last 2: got %s, %v", got, page)
	}
	if _, got := ask(map[string]any{"last": 2, "before": at(page, "pageInfo.startCursor")}); got != "bc" {
		t.Errorf("the 2 before: got %s, want bc", got)
	}
	if _, got := ask(map[string]any{"first": 3, "order": "NEWEST"}); got != "edc" {
		t.Errorf("newest first: got %s, want edc", got)
	}
	if page, got := ask(map[string]any{"first": 3, "text": "C"}); got != "c" || at(page, "totalCount") != 1.0 {
		t.Errorf("with a c: got %s, %v", got, page)
	}
	if page, got := ask(map[string]any{"first": 3, "text": nil}); got != "abc" {
		t.Errorf("null does not narrow: got %s, %v", got, page)
	}
}

func TestPagingArguments(t *testing.T) {
	w := newWorld(t)
	for _, arguments := range []string{
		"", "first: 0", "first: 101", "first: -1", "first: 1, last: 1", "last: 0", "last: 101", "first: 10, after: \"nonsense\"",
		"first: null", "first: 1, last: 0", "first: 2147483647, last: -2147483646",
	} {
		t.Run(arguments, func(t *testing.T) {
			list := ""
			if arguments != "" {
				list = "(" + arguments + ")"
			}
			got := w.ask(t.Context(), new(w.people[owner]), "{ tags"+list+" { nodes { name } } }", nil)
			if code := ruleOf(got.errors); code != timesheet.CodeInvalid {
				t.Errorf("got %v, want %s", got.errors, timesheet.CodeInvalid)
			}
		})
	}
}
