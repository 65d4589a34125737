// Package limits answers two questions about a GraphQL operation before it runs:
// what will it cost, and may it start now.
package limits
