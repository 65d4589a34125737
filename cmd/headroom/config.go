package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"headroom/store"
)

// ConfigCmd prints the configuration of serve.
type ConfigCmd struct {
	ServeFlags `embed:""`
}

// Run prints every setting, one a line, as the environment would hold it.
func (c *ConfigCmd) Run(env *environment) error {
	if err := c.check(); err != nil {
		return err
	}
	for _, f := range env.flags.Selected().Flags {
		fmt.Fprintf(env.stdout, "%s=%s\n", envName(f), shown(f))
	}
	return nil
}

// changed lists the settings that differ from their defaults, secrets hidden.
func changed(flags []*kong.Flag) []string {
	var out []string
	for _, f := range flags {
		if text := shown(f); f.Set && !strings.EqualFold(text, f.Default) {
			out = append(out, "--"+f.Name+"="+text)
		}
	}
	return out
}

func envName(f *kong.Flag) string {
	return "HEADROOM_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
}

func shown(f *kong.Flag) string {
	text := fmt.Sprint(f.Target.Interface())
	switch {
	case text == "[]":
		return ""
	case text == "" || !f.Tag.Has("secret"):
		return text
	case f.Tag.Get("secret") == "url":
		return store.Redact(text)
	}
	return "(hidden)"
}

// readSecret reads a file's first line.
func readSecret(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the secret: %w", err)
	}
	secret := strings.TrimSpace(string(text))
	if len(secret) < 16 {
		return nil, fmt.Errorf("the secret in %s is shorter than 16 characters", path)
	}
	return []byte(secret), nil
}
