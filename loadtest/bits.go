package loadtest

import "sync/atomic"

// bits are flags that are raised by many and read by one: what was written before a
// flag was raised is there for who sees it.
type bits []atomic.Uint64

func newBits(n int) bits { return make(bits, (n+63)/64) }

func (b bits) raise(i uint32) { b[i/64].Or(1 << (i % 64)) }

func (b bits) has(i uint32) bool { return b[i/64].Load()&(1<<(i%64)) != 0 }
