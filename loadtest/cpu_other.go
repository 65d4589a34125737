//go:build !linux

package loadtest

import (
	"errors"
	"time"
)

var errNoProc = errors.New("the machine's load is only read on Linux")

type process struct {
	pid, parent int
	name        string
	cpu         time.Duration
}

func machineBusy() (time.Duration, error) { return 0, errNoProc }

func listener(string) (int, error) { return 0, errNoProc }

func processes() ([]process, error) { return nil, errNoProc }

func machine() Machine { return Machine{} }
