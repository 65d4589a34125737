package main

import (
	"strings"
	"testing"

	"headroom/server"
)

// All who had to give way in a full table have one name in it.
func TestOthersAreNamedOnce(t *testing.T) {
	for _, table := range []string{"TENANT", "OPERATION", "CLIENT"} {
		var page strings.Builder
		renderSpenders(&page, table, []server.SpenderView{{Workspace: "(others)", Operation: "(others)", Client: "(others)", Share: 0.5, Ran: 7}})
		if line := strings.Split(page.String(), "\n")[2]; strings.Count(line, "(others)") != 1 || !strings.Contains(line, " 50 % ") {
			t.Errorf("%s: %q", table, line)
		}
	}
}
