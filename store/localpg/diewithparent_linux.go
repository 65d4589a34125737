package localpg

import "syscall"

// dieWithParent has the kernel interrupt the child when this process dies. For
// PostgreSQL SIGINT is a clean shutdown; initdb ends on it as well.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGINT }
