package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"slices"
	"strings"
	"time"
)

// Operators says where the servers' operators' addresses are.
type Operators struct {
	AdminURL       []string `name:"admin-url" default:"http://127.0.0.1:8081" help:"Operators' addresses of the servers. Orders go to the first that takes them, for all servers; headroom top asks each." placeholder:"URL"`
	AdminTokenFile string   `help:"File with the token that the addresses ask for." placeholder:"FILE"`
}

// operatorsWait bounds one question: who asks at night wants an answer.
const operatorsWait = 5 * time.Second

// notHere is a server that does not answer, or not as wanted: another one may.
type notHere struct {
	error
	answered bool
}

// ask asks one server after the other until one does what is wanted: only those that
// clients have sent a name to know it, and one that has lost its database takes no
// order. If none does, the error is what those say that answer, the same once.
func (o Operators) ask(ctx context.Context, method, path string, in, out any) error {
	var said, silent []string
	for _, address := range o.AdminURL {
		err := o.askAt(ctx, address, method, path, in, out)
		var not notHere
		switch {
		case !errors.As(err, &not):
			return err
		case not.answered && !slices.Contains(said, err.Error()):
			said = append(said, err.Error())
		case !not.answered:
			silent = append(silent, err.Error())
		}
	}
	if len(said) == 0 {
		said = silent
	}
	return errors.New(strings.Join(said, "; "))
}

// askAt sends in, if it is not nil, and reads the answer into out. What the server
// refuses is an error in its words, a notHere as all that is the server's fault.
func (o Operators) askAt(ctx context.Context, address, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, operatorsWait)
	defer cancel()
	base, err := url.Parse(address)
	if err != nil || base.Host == "" {
		return fmt.Errorf("--admin-url %s is no address: write it as http://127.0.0.1:8081", address)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(address, "/")+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if o.AdminTokenFile != "" {
		token, err := readSecret(o.AdminTokenFile)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+string(token))
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return notHere{fmt.Errorf("cannot reach the operators' address %s (--admin-url): %w", base.Redacted(), err), false}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	switch {
	case err != nil:
		err = fmt.Errorf("read the answer of %s: %w", base.Redacted(), err)
	case resp.StatusCode == http.StatusUnauthorized:
		err = errors.New("the operators' address asks for its token: --admin-token-file")
	case resp.StatusCode == http.StatusNotFound:
		err = fmt.Errorf("%s is no operators' address of headroom: it does not know %s", base.Redacted(), path)
	case resp.StatusCode >= http.StatusBadRequest:
		err = errors.New(strings.TrimSpace(string(text)))
	default:
		if err = json.Unmarshal(text, out); err != nil {
			err = fmt.Errorf("%s does not answer as headroom does: %w", base.Redacted(), err)
		}
	}
	if err != nil {
		return notHere{err, true}
	}
	return nil
}

// operator is who gives an order: the person, also behind sudo, and the machine.
func operator() string {
	name := os.Getenv("SUDO_USER")
	if name == "" {
		if u, err := user.Current(); err == nil {
			name = u.Username
		}
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return name + "@" + host
}

// printable keeps what clients call themselves from steering a terminal.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c >= 0x80 && c < 0xa0 || c == '\u202e' || c == '\u2066' || c == '\u2067' {
			return '?'
		}
		return c
	}, text)
}
