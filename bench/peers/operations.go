package main

import (
	"encoding/json"
	"fmt"
)

// operation is one thing that an app asks for, in each peer's own words.
type operation struct {
	name string
	// ask is one run of it for somebody: what is sent, one after the other. n
	// counts the runs, for what must differ from one to the next.
	ask     func(w words, who person, n int) []message
	rate    float64                 // of the open loop, a second
	leaders bool                    // it is asked by those who see everybody's work
	moving  []string                // fields that no two runs have alike
	flatten func(data any) []string // facts of answers of different shapes; nil: the fields
}

// words are the languages that peers are spoken to in.
type words int

const (
	ours words = iota
	statement
	textbook
	postgraphile
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
	{name: "my day", rate: 100, ask: myDay},
}

const entryFields = `id description startedAt endedAt seconds billable project { id name client { id name } } task { id name }`

func myDay(w words, _ person, _ int) []message {
	if w == statement {
		return []message{plain("my-day", lastDay)}
	}
	return []message{document(`query MyDay($date: `+map[words]string{ours: "Date", textbook: "String"}[w]+`!) { viewer { user { id name } } myDay(date: $date) { entries { `+entryFields+` } } }`,
		map[string]any{"date": lastDay})}
}

// document is a GraphQL request.
func document(text string, variables map[string]any) message {
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
