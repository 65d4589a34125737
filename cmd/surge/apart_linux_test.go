package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A surge that is killed takes the server along that it has started, or the next one
// would find it on its data.
func TestKilledWithItsServer(t *testing.T) {
	alive := filepath.Join(t.TempDir(), "alive")
	if err := syscall.Mkfifo(alive, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(alive, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	writer, err := os.OpenFile(alive, os.O_WRONLY, 0) // so that nothing ends before the server is there
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(os.Args[0], "run", "smoke", "--twice", "--serve", "sh -c 'exec 9>"+alive+"; echo up >&9; exec sleep 600' sh")
	command.Env = append(os.Environ(), asSurge+"=1")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(reader, make([]byte, len("up\n"))); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(writer.Close(), command.Process.Kill(), reader.SetReadDeadline(time.Now().Add(20*time.Second))); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err == nil {
		t.Error("surge ended by itself")
	}
	if n, err := reader.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("read %d bytes, %v, from a server that should be gone", n, err)
	}
}
