// Package foreign is a gqlgen server that has nothing to do with headroom, and
// shows how package limits protects it: protect.go is all that was added to it,
// besides the @cost and @listSize in its schema.
package foreign

import (
	"context"
	"fmt"
)

//go:generate go tool gqlgen generate

// Book is a title of an author.
type Book struct {
	Title  string
	Author Author
}

// Author has written any number of books.
type Author struct{ Name string }

// Books returns the author's first titles.
func (a Author) Books(first int) []Book {
	books := make([]Book, first)
	for i := range books {
		books[i] = Book{Title: fmt.Sprintf("%s, part %d", a.Name, i+1), Author: a}
	}
	return books
}

// Library resolves the queries.
type Library struct{}

// Query implements ResolverRoot.
func (l Library) Query() QueryResolver { return l }

// Books implements QueryResolver.
func (Library) Books(_ context.Context, first int) ([]Book, error) {
	books := make([]Book, first)
	for i := range books {
		books[i] = Author{Name: fmt.Sprintf("Author %d", i+1)}.Books(1)[0]
	}
	return books, nil
}
