package limits

import (
	"testing"
	"testing/synctest"
	"time"
)

// An operation tells how long it takes only if nothing was congested from its
// admission to its end.
func TestCalm(t *testing.T) {
	quick := Request{Class: Interactive, Work: time.Millisecond}
	tests := []struct {
		name string
		run  func(s *Static) *Permit // admits, lets happen what happens, and is asked at the end
		want bool
	}{
		{"alone", func(s *Static) *Permit { return admit(t, s, quick) }, true},
		{"after others have ended", func(s *Static) *Permit {
			for range 3 {
				defer admit(t, s, quick).Drop()
			}
			time.Sleep(time.Millisecond)
			return nil
		}, true},
		{"beside another", func(s *Static) *Permit { admit(t, s, quick); return admit(t, s, quick) }, false},
		{"another came and went", func(s *Static) *Permit {
			p := admit(t, s, quick)
			time.Sleep(time.Millisecond)
			admit(t, s, quick).Drop()
			time.Sleep(time.Millisecond)
			return p
		}, false},
		{"a report waits", func(s *Static) *Permit {
			p := admit(t, s, Request{Class: Report, Work: time.Second})
			s.Offer(Request{Class: Report, Work: time.Second}, func(*Permit, *Refusal) {})
			return p
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStatic(t, SeatsFor(2))
				p := tt.run(s)
				if p == nil {
					time.Sleep(time.Millisecond)
					p = admit(t, s, quick)
				}
				if got := p.Calm(); got != tt.want {
					t.Errorf("calm: %t, want %t", got, tt.want)
				}
				p.Drop()
			})
		})
	}
	if p, _ := (Unlimited{}).Admit(t.Context(), quick); p.Calm() {
		t.Error("a gate that counts nothing says that nothing is congested")
	}
}

func admit(t *testing.T, g Gate, r Request) *Permit {
	t.Helper()
	p, refusal := g.Admit(t.Context(), r)
	if p == nil {
		t.Fatalf("refused: %+v", refusal)
	}
	return p
}
