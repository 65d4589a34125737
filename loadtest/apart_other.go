//go:build !linux

package loadtest

import "syscall"

// apart starts a server in a session of its own.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
