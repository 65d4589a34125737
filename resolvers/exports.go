package resolvers

import (
	"context"

	"headroom/dataloader"
	"headroom/graph"
	"headroom/store"
	"headroom/timesheet"
)

// Exports is how exports are made; without Terms.Keep there are none.
type Exports struct {
	Terms store.ExportTerms
	// Link is where an export's file is.
	Link func(timesheet.WorkspaceID, timesheet.Export) string
	// Changed is called after an export was asked for or cancelled.
	Changed func()
}

// ReportExport is an export that the asker sees.
func (q query) ReportExport(ctx context.Context, id graph.ID) (*timesheet.Export, error) {
	v, err := asker(ctx)
	if err != nil {
		return nil, err
	}
	key, _ := id.Key().(timesheet.ExportID) // 0 is nobody's
	x, err := q.Store.Export(ctx, v, key)
	if broken, isRule := timesheet.AsError(err); isRule && broken.Code == timesheet.CodeNotFound {
		return nil, nil
	}
	return &x, err
}

// ReportExports lists the asker's own exports, or everybody's.
func (q query) ReportExports(ctx context.Context, first *int, after *string, last *int, before *string, everybody bool) (*graph.ReportExportConnection, error) {
	return page(ctx, first, after, last, before, nil, func(v timesheet.Viewer, p timesheet.Page) (timesheet.Connection[timesheet.Export], error) {
		return q.Store.Exports(ctx, v, everybody, p)
	})
}

// ReportExportCreate queues an export.
func (m mutation) ReportExportCreate(ctx context.Context, in graph.ReportExportCreateInput) (*graph.ExportPayload, error) {
	wanted := timesheet.ExportInput{
		Period: orZero(in.Period), Filter: orZero(in.Filter.Value()), GroupBy: in.GroupBy.Value(),
		Format: in.Format, ByteOrderMark: in.ByteOrderMark,
		Rounding: in.Rounding.Value(), TimeZone: in.TimeZone.Value(), DayAttribution: in.DayAttribution, WeekStart: in.WeekStart.Value(),
	}
	return m.changeExport(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.Export, []*timesheet.Error, error) {
		return m.Store.CreateExport(ctx, v, wanted, m.Exports.Terms, ch)
	})
}

// ReportExportCancel ends an export.
func (m mutation) ReportExportCancel(ctx context.Context, in graph.ReportExportCancelInput) (*graph.ExportPayload, error) {
	return m.changeExport(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.Export, []*timesheet.Error, error) {
		return m.Store.CancelExport(ctx, v, in.ID, ch)
	})
}

func (m mutation) changeExport(ctx context.Context, do func(timesheet.Viewer, store.Change) (timesheet.Export, []*timesheet.Error, error)) (*graph.ExportPayload, error) {
	done, err := change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.Export, []*timesheet.Error, error) {
		if m.Exports.Terms.Keep == 0 {
			return timesheet.Export{}, nil, timesheet.Errorf(timesheet.CodeExportsOff, "", "this server has no folder for exports")
		}
		return do(v, ch)
	})
	if err == nil && len(done.UserErrors) == 0 {
		m.Exports.Changed()
	}
	return done, err
}

// User is who asked for it.
func (reportExport) User(ctx context.Context, e *timesheet.Export) (*timesheet.User, error) {
	return load(ctx, dataloader.From(ctx).Users, &e.UserID)
}

// URL is where the file is; nil where there will be none, and for those who did
// not ask for it.
func (x reportExport) URL(ctx context.Context, e *timesheet.Export) (*string, error) {
	v, err := asker(ctx)
	if err != nil || e.UserID != v.User || !e.HasFile() {
		return nil, err
	}
	return new(x.Exports.Link(v.Workspace.ID, *e)), nil
}
