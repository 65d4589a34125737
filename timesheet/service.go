package timesheet

import "context"

// Service is how a request is served: the class whose pool and deadline it uses,
// and whether it is given only reports that are kept.
type Service struct {
	Class    Class
	KeptOnly bool
}

// Class is the priority of a request.
type Class int

// Classes in order of priority. Control is stopping a timer: nobody's time may
// be lost.
const (
	ClassInteractive Class = iota // the zero value: what a person waits for
	ClassControl
	ClassReport
	ClassBackground
	ClassExport // files of entries, in a pool of their own
)

type serviceKey struct{}

// WithService puts how a request is served into the context.
func WithService(ctx context.Context, s Service) context.Context {
	return context.WithValue(ctx, serviceKey{}, s)
}

// ServiceFrom is how a request is served; without one it is interactive.
func ServiceFrom(ctx context.Context) Service {
	s, _ := ctx.Value(serviceKey{}).(Service)
	return s
}
