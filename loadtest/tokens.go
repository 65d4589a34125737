package loadtest

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"strings"
)

// A User is a person in one workspace, as a token names them.
type User struct {
	Workspace string
	Name      string
	Role      string // lower case; empty if not known
	Token     string

	id, workspaceID string // as the server names them, where known

	projects []string // ids this person may log time on, where known
}

// demoUsers are the fixed people of a server in demo mode.
func demoUsers() []*User {
	users := make([]*User, 0, 3)
	for _, role := range []string{"owner", "manager", "member"} {
		users = append(users, &User{Workspace: "demo", Name: role, Role: role, Token: "demo-" + role})
	}
	return users
}

// readUsers reads lines of workspace,user,role,token, with or without a header.
func readUsers(r io.Reader) ([]*User, error) {
	rows := csv.NewReader(r)
	rows.FieldsPerRecord = 4
	rows.TrimLeadingSpace = true
	rows.Comment = '#'
	var users []*User
	for {
		row, err := rows.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("a line must read workspace,user,role,token: %w", err)
		}
		if len(users) == 0 && strings.EqualFold(row[3], "token") {
			continue // the header
		}
		if row[3] == "" {
			line, _ := rows.FieldPos(3)
			return nil, fmt.Errorf("line %d has no token", line)
		}
		users = append(users, &User{Workspace: row[0], Name: row[1], Role: strings.ToLower(row[2]), Token: row[3]})
	}
	if len(users) == 0 {
		return nil, fmt.Errorf("it holds no tokens")
	}
	return users, nil
}

// users finds the people to act for: one token, a file of them, or the demo's.
func (c Config) users() ([]*User, error) {
	switch {
	case c.Token != "" && c.TokensFile != "":
		return nil, stopf(ExitUsage, "give either one token or a file of tokens")
	case c.Token != "":
		return []*User{{Token: c.Token}}, nil
	case c.TokensFile == "":
		return demoUsers(), nil
	}
	file, err := os.Open(c.TokensFile)
	if err != nil {
		return nil, stopf(ExitUsage, "open the tokens: %w", err)
	}
	defer file.Close()
	users, err := readUsers(file)
	if err != nil {
		return nil, stopf(ExitUsage, "read the tokens in %s: %w", c.TokensFile, err)
	}
	return users, nil
}
