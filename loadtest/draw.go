package loadtest

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// A scene is what a run knows about the server's people and data.
type scene struct {
	users []*User
	last  time.Time // the newest day with work: drawn dates count back from it
}

// mix is a stream's operations, ready to be drawn.
type mix struct {
	operations []*loaded
	upTo       []int // sum of the weights up to and with each operation
}

// pick draws an operation by weight.
func (m *mix) pick(rng *rand.Rand) *loaded {
	at := rng.IntN(m.upTo[len(m.upTo)-1])
	for i, limit := range m.upTo {
		if at < limit {
			return m.operations[i]
		}
	}
	panic("loadtest: the weights of a mix do not add up")
}

// deck draws calls for the people of a scene.
type deck struct {
	scene      *scene
	operations []*loaded // each once, in the order of their index
}

// mix prepares weighted operations for drawing.
func (d *deck) mix(weights []Weighted) (*mix, error) {
	m := &mix{}
	sum := 0
	for _, w := range weights {
		op, err := d.load(w.Operation)
		if err != nil {
			return nil, err
		}
		sum += w.Weight
		m.operations = append(m.operations, op)
		m.upTo = append(m.upTo, sum)
	}
	if sum <= 0 {
		return nil, fmt.Errorf("a stream has no operations")
	}
	return m, nil
}

func (d *deck) load(op *Operation) (*loaded, error) {
	for _, known := range d.operations {
		if known.Operation == op {
			return known, nil
		}
	}
	l, err := load(op, len(d.operations), d.scene.users)
	if err != nil {
		return nil, err
	}
	d.operations = append(d.operations, l)
	return l, nil
}

// call is one operation with everything drawn.
type call struct {
	op   *loaded
	user *User
	body []byte
}

// draw chooses operation, person and variables by (seed, seq) alone, because
// the generator's goroutines run in no fixed order.
func (d *deck) draw(m *mix, seed, seq uint64) (call, error) {
	rng := rand.New(rand.NewPCG(seed, seq))
	op := m.pick(rng)
	return d.drawFor(rng, op, op.users[rng.IntN(len(op.users))])
}

func (d *deck) drawFor(rng *rand.Rand, op *loaded, user *User) (call, error) {
	body, err := op.body(rng, d.scene, user)
	return call{op: op, user: user, body: body}, err
}
