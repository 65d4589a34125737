package graph

import "context"

// scalars read each custom scalar as a request holds it.
var scalars = map[string]func(context.Context, any) error{
	"DateTime": func(_ context.Context, v any) error { _, err := UnmarshalDateTime(v); return err },
	"Date":     func(_ context.Context, v any) error { _, err := UnmarshalDate(v); return err },
	"Seconds":  func(ctx context.Context, v any) error { _, err := UnmarshalLong(ctx, v); return err },
	"Long":     func(ctx context.Context, v any) error { _, err := UnmarshalLong(ctx, v); return err },
	"TimeZone": func(_ context.Context, v any) error { _, err := UnmarshalTimeZone(v); return err },
	"UUID":     func(_ context.Context, v any) error { _, err := UnmarshalUUID(v); return err },
}

// CheckScalar says what is wrong with a value of a custom scalar, so that it
// can be refused before anything is run; other types always pass.
func CheckScalar(ctx context.Context, scalar string, v any) error {
	if read, ok := scalars[scalar]; ok {
		return read(ctx, v)
	}
	return nil
}
