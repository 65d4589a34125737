//go:build unix && !linux

package localpg

import "syscall"

// dieWithParent does nothing: the system has no such service. A server that
// outlives us is shut down by the next start on its folder.
func dieWithParent(*syscall.SysProcAttr) {}
