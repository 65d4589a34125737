//go:build !linux

package loadtest

// goFirst does nothing here.
func goFirst() (restore func()) { return func() {} }
