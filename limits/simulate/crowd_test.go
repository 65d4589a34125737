package simulate

import (
	"strings"
	"testing"
)

// A crowd comes back after an outage: those who heed what they are told have all that
// they asked soon after the ideal time, and nobody is worse off than without a gate.
func TestCrowd(t *testing.T) {
	for _, cores := range []int{1, 2, 4} {
		for _, c := range (Bench{Cores: cores, Policy: Adaptive(), Size: Size{Seeds: []uint64{1}}}).crowd(t.Context()) {
			t.Logf("%d cores, %s: %s is %.4g %s, bound %g", cores, c.Goal, c.What, c.Value, c.Unit, c.Bound)
			judge(t, cores, c)
			if strings.HasPrefix(c.What, "retrylink") && c.Value < 75 { // held until their time, they are served then
				t.Errorf("%d cores: %.1f %% more of RetryLink's clients than without a gate, want most", cores, c.Value)
			}
		}
	}
}

// A server whose first second is five times as slow, since all connections are new,
// does not keep those away who heed it for as long as it seemed then.
func TestCrowdAfterASlowStart(t *testing.T) {
	for _, clients := range []int{1500, 3600} {
		slow := func(s *Setup) {
			s.Crowd.Clients = clients
			s.Speed = []Change{{begin, 0.2}, {begin + second, 1}}
		}
		for _, c := range (Bench{Cores: 2, Policy: Adaptive(), Size: Size{Seeds: []uint64{1}}, Change: slow}).crowd(t.Context()) {
			t.Logf("%d clients, %s is %.4g %s, bound %g", clients, c.What, c.Value, c.Unit, c.Bound)
			if strings.HasPrefix(c.What, "99 % of them") && c.Value > 1.5 || strings.HasPrefix(c.What, "clients that heed") && !c.OK() {
				t.Errorf("%d clients: %s is %.4g %s", clients, c.What, c.Value, c.Unit)
			}
		}
	}
}
