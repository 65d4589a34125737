package simulate

import "testing"

// A crowd comes back after an outage: those who heed what they are told have all that
// they asked soon after the ideal time, and nobody is worse off than without a gate.
func TestCrowd(t *testing.T) {
	for _, cores := range []int{1, 2, 4} {
		for _, c := range (Bench{Cores: cores, Policy: Adaptive(), Size: Size{Seeds: []uint64{1}}}).crowd(t.Context()) {
			t.Logf("%d cores, %s: %s is %.4g %s, bound %g", cores, c.Goal, c.What, c.Value, c.Unit, c.Bound)
			judge(t, cores, c)
		}
	}
}
