package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"headroom/server"
)

// expand lists the files of patterns, so that quoted ones work as well, each once. A
// name that a file has stands for that, whatever its letters.
func expand(patterns []string) (files []string, errs []error) {
	for _, p := range patterns {
		found := []string{p}
		var err error
		if _, missing := os.Lstat(p); missing != nil {
			found, err = filepath.Glob(p)
		}
		switch {
		case err != nil:
			err = fmt.Errorf("%s: %w", p, err)
		case len(found) == 0 && strings.Contains(p, "**"):
			err = fmt.Errorf("%s: there is no such file; ** stands for one folder here, so name each level", p)
		case len(found) == 0:
			err = fmt.Errorf("%s: there is no such file", p)
		}
		if err != nil {
			errs = append(errs, err)
		}
		for _, file := range found {
			if file = filepath.Clean(file); !slices.Contains(files, file) {
				files = append(files, file)
			}
		}
	}
	return files, errs
}

// readSchema reads an SDL from a file or an address; the empty place stands for
// this program's own.
func readSchema(ctx context.Context, place string) (string, error) {
	if place == "" {
		return "", nil
	}
	text, err := readPlace(ctx, place, "")
	first := bytes.TrimSpace(text)
	switch {
	case err != nil && isAddress(place):
		err = fmt.Errorf("%w; a headroom server has its schema at /schema.graphql", err)
	case err != nil:
	case len(first) == 0:
		err = fmt.Errorf("%s is empty", place)
	case first[0] == '{':
		err = fmt.Errorf("%s is JSON, which cannot hold @cost and @listSize: name a schema in SDL, of a headroom server /schema.graphql", place)
	}
	if err != nil {
		return "", fmt.Errorf("--schema: %w", err)
	}
	return string(text), nil
}

func isAddress(place string) bool {
	return strings.HasPrefix(place, "http://") || strings.HasPrefix(place, "https://")
}

// readPlace reads a text from a file or an address, with a bearer token unless that
// is empty.
func readPlace(ctx context.Context, place, token string) (text []byte, err error) {
	if isAddress(place) {
		text, err = get(ctx, place, token)
	} else {
		text, err = server.ReadText(place)
	}
	if errors.Is(err, os.ErrNotExist) && strings.Contains(place, ":") {
		err = fmt.Errorf("%w; an address begins with http:// or https://", err)
	}
	if err == nil && bytes.HasPrefix(bytes.TrimSpace(text), []byte("<")) {
		err = fmt.Errorf("%s is a page for people (HTML): does the address want a login?", place)
	}
	return text, err
}

func get(ctx context.Context, address, token string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", address, resp.Status)
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, server.MaxText+1))
	if err != nil {
		return nil, err
	}
	return server.CheckText(address, raw)
}

// readStatistics reads what the largest workspaces hold.
func readStatistics(ctx context.Context, place, tokenFile string) (found server.Statistics, err error) {
	token := ""
	if tokenFile != "" {
		secret, err := readSecret(tokenFile)
		if err != nil {
			return found, err
		}
		token = string(secret)
	}
	text, err := readPlace(ctx, place, token)
	if err == nil && len(bytes.TrimSpace(text)) == 0 {
		err = errors.New(place + " is empty")
	}
	if err == nil {
		found, err = server.ReadStatistics(bytes.NewReader(text), time.Now())
	}
	if err != nil {
		return found, fmt.Errorf("--statistics: %w", err)
	}
	return found, nil
}
