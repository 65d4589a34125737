package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// operation is one thing that an app asks for, in each peer's own words.
type operation struct {
	name string
	// ask is one run of it for somebody: what is sent, one after the other. n
	// counts the runs, for what must differ from one to the next. Nothing is sent
	// in words that the operation does not have.
	ask     func(w words, d *data, who person, n int) []message
	rate    float64                 // of the open loop, a second
	fixed   bool                    // each run sends the same
	leaders bool                    // it is asked by those who see everybody's work
	paced   bool                    // by one at a time: of eight, headroom would refuse some
	flatten func(data any) []string // facts of answers of different shapes; nil: the fields
}

// words are the languages that peers are spoken to in.
type words int

const (
	ours words = iota
	statement
	textbook
	postgraphile
	ownTables // by hand too, but on the tables of headroom
)

// message is the path and the body of a request.
type message struct {
	path string
	body []byte
}

// person is somebody who asks. Tokens are for headroom; the others trust a
// header with the key.
type person struct {
	key   int64
	token string
}

var operations = []operation{
	{name: "my day", fixed: true, rate: 100, ask: myDay},
	{name: "50 projects with client and totals", fixed: true, rate: 50, leaders: true, ask: projectsWithTotals},
	{name: "create entry", rate: 50, ask: createEntry},
	{name: "start and stop a timer", rate: 25, ask: timer},
	{name: "page of 50 entries with everything nested", fixed: true, rate: 25, leaders: true, ask: page},
	{name: "month by project", rate: 10, leaders: true, paced: true, ask: month, flatten: flatReport},
	{name: "year by project, user and week", rate: 1, leaders: true, paced: true, ask: year, flatten: flatReport},
	{name: "start of an app, six operations", fixed: true, rate: 15, leaders: true, ask: start},
}

type vars map[string]any

// idOf is a project's id as headroom's clients have it.
func idOf(project int64) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Append(nil, "Project:", project))
}

// document is a GraphQL request.
func document(text string, variables vars) message {
	body, err := json.Marshal(map[string]any{"query": text, "variables": variables})
	if err != nil {
		panic(fmt.Sprint("a request that cannot be written: ", err))
	}
	return message{"/graphql", body}
}

// plain is a request for a statement by hand.
func plain(path string, args ...any) message {
	body, err := json.Marshal(append([]any{}, args...))
	if err != nil {
		panic(fmt.Sprint("a request that cannot be written: ", err))
	}
	return message{"/" + path, body}
}

// spoken tells whether an operation exists in some words.
func (op operation) spoken(w words, d *data) bool {
	messages := op.ask(w, d, d.people[0], 0)
	return len(messages) > 0 && messages[0].path != ""
}
