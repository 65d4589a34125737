package loadtest

import "syscall"

// apart starts a server in a session of its own: the kernel shares the processors
// between sessions, so that a server of twenty busy processes does not starve the
// generator. It is asked to end when the thread that started it is gone, which here is
// when surge is, so that a surge that is killed leaves no server on its data.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGTERM}
}
