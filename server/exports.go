package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"headroom/graph"
	"headroom/limits"
	"headroom/timesheet"
)

// linkPrefix begins the signature of a link to an export.
const linkPrefix = "hx_"

// exportLink is where an export's file is. The signature says of which
// workspace it is and until when, so that a forged or old link is refused
// without a look into the database.
func (s *Server) exportLink(ws timesheet.WorkspaceID, x timesheet.Export) string {
	expires := x.ExpiresAt.Unix()
	return fmt.Sprintf("/exports/%s?expires=%d&signature=%s", graph.NewExportID(x.ID), expires, sign(linkPrefix, s.keys.link, int64(ws), int64(x.ID), expires))
}

// readLink checks a request for an export's file.
func (s *Server) readLink(r *http.Request) (ws timesheet.WorkspaceID, id timesheet.ExportID, f *fault) {
	query := r.URL.Query()
	v, ok := verify(linkPrefix, s.keys.link, query.Get("signature"), 3)
	if !ok || query.Get("expires") != strconv.FormatInt(v[2], 10) || r.PathValue("id") != string(graph.NewExportID(timesheet.ExportID(v[1]))) {
		return 0, 0, refuse(codeForbidden, "the link is not one of this server's: take it from the export's url as it is")
	}
	if s.now().Unix() >= v[2] {
		return 0, 0, gone(timesheet.ExportExpired, nil)
	}
	return timesheet.WorkspaceID(v[0]), timesheet.ExportID(v[1]), nil
}

// suggestExport tells of a report that is too large that it can be a file.
func (s *Server) suggestExport(r *request, over *limits.CostError) {
	if s.exports.Folder == nil {
		return
	}
	for _, field := range r.price.Fields {
		asks := field.Expected
		if over.Unit == limits.Reads {
			asks = float64(field.Reads)
		}
		if field.Coordinate == "Query.timesheetReport" && asks > over.Max {
			over.Suggestions = append(over.Suggestions, limits.Suggestion{Kind: limits.UseExport, Path: field.Path, Mutation: "reportExportCreate"})
		}
	}
}

// retryExport is when to ask again for a file that is not ready.
const retryExport = 2 * time.Second

// findFile opens the file that a link means.
func (s *Server) findFile(ctx context.Context, r *http.Request) (x timesheet.Export, file *os.File, f *fault) {
	ws, id, f := s.readLink(r)
	if f != nil {
		return x, nil, f
	}
	if s.health.away() {
		return x, nil, s.unavailable()
	}
	ctx, cancel := context.WithTimeout(ctx, s.deadlines[limits.Interactive])
	defer cancel()
	x, err := s.store.ExportFile(ctx, ws, id)
	switch broken, isRule := timesheet.AsError(err); {
	case isRule && broken.Code == timesheet.CodeForbidden:
		return x, nil, refuse(codeForbidden, broken.Message)
	case isRule:
		return x, nil, refuse(codeNotFound, "there is no such export, or whoever asked for it has left")
	case err != nil:
		s.log.Warn("look for an export", "export", int64(id), "error", err)
		return x, nil, s.unavailable()
	case x.Status == timesheet.ExportQueued || x.Status == timesheet.ExportRunning:
		return x, nil, refuse(codeNotReady, "the file is still being written").with("status", x.Status).with("rows", x.Rows).retry(retryExport)
	case x.Status != timesheet.ExportReady:
		return x, nil, gone(x.Status, x.Failure)
	}
	return s.openFile(x)
}

func (s *Server) openFile(x timesheet.Export) (timesheet.Export, *os.File, *fault) {
	if folder := s.exports.Folder; folder == nil || folder.name != x.Folder {
		return x, nil, refuse(codeElsewhere, "another server holds this file: send the request again, or have all servers share one folder for exports").retry(time.Second)
	}
	file, err := s.exports.Folder.open(x.ID)
	if err != nil {
		s.log.Error("open the file of an export", "export", int64(x.ID), "error", err)
		return x, nil, gone(x.Status, nil)
	}
	return x, file, nil
}

// gone is the answer where there is no file any more, or never will be.
func gone(status timesheet.ExportStatus, why *timesheet.ExportFailure) *fault {
	f := refuse(codeGone, "the file of this export is gone: ask for another export").with("status", status)
	if why != nil {
		f.with("failure", *why)
	}
	return f
}

// download is the handler of /exports/{id}: a finished file, or a part of it. Its
// reader holds a file and no connection of the database, however slow it is.
func (s *Server) download(w http.ResponseWriter, hr *http.Request) {
	r := &request{Request: hr, arrived: time.Now(), id: requestID(hr), media: mediaJSON, client: clientName(hr)}
	cameWhole(hr.Context())
	x, file, f := s.findFile(hr.Context(), hr)
	if f != nil {
		s.finishDownload(r, x, s.write(w, r, nil, f), 0)
		return
	}
	defer file.Close()
	h := w.Header()
	h.Set("Content-Type", map[timesheet.ExportFormat]string{
		timesheet.ExportCSV: "text/csv; charset=utf-8; header=present", timesheet.ExportJSONL: "application/x-ndjson; charset=utf-8",
	}[x.Format()])
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="headroom-export-%d.%s"`, x.ID, map[timesheet.ExportFormat]string{timesheet.ExportCSV: "csv", timesheet.ExportJSONL: "jsonl"}[x.Format()]))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private, no-cache")
	h.Set("X-Request-Id", r.id)
	h.Set("ETag", `"`+*x.SHA256+`"`)
	out := &downloadWriter{ResponseWriter: w, refuse: func(status int) { s.refuseRange(w, r, status) }}
	defer s.cutBy(w)()
	mendRange(hr.Header)
	http.ServeContent(out, hr, "", *x.FinishedAt, file)
	s.finishDownload(r, x, out.status, out.sent)
}

// hugeNumber is a number that is larger than any file, and than net/http reads.
var hugeNumber = regexp.MustCompile(`[0-9]{19,}`)

// mendRange leaves of a request's Range what net/http reads as RFC 9110 has it: a
// unit that nobody knows is ignored, and a last byte may lie however far behind
// the end.
func mendRange(h http.Header) {
	wanted := h.Get("Range")
	if !strings.HasPrefix(wanted, "bytes=") {
		h.Del("Range")
		return
	}
	h.Set("Range", hugeNumber.ReplaceAllString(wanted, strings.Repeat("9", 18)))
}

// cutBy ends writing to w when the server is told to cut downloads, until
// release is called: a reader may be as slow as it likes, but nobody waits for
// it to restart a server.
func (s *Server) cutBy(w http.ResponseWriter) (release func()) {
	done := make(chan struct{})
	go func() {
		select {
		case <-s.cut:
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now()) // fails on closed connections only
		case <-done:
		}
	}()
	return func() { close(done) }
}

// refuseRange says in JSON what net/http would say in a line of text.
func (s *Server) refuseRange(w http.ResponseWriter, r *request, status int) {
	w.Header().Del("ETag")
	w.Header().Del("Content-Disposition")
	f := refuse(codeBadRequest, "the range does not lie within the file")
	f.status = status
	s.write(w, r, nil, f)
}

func (s *Server) finishDownload(r *request, x timesheet.Export, status int, sent int64) {
	s.metrics.downloads.WithLabelValues(strconv.Itoa(status)).Inc()
	s.metrics.downloaded.Add(float64(sent))
	s.log.LogAttrs(r.Context(), slog.LevelInfo, "download", slog.String("request", r.id), slog.String("client", r.client),
		slog.Int64("export", int64(x.ID)), slog.Int("status", status), slog.Int64("bytes", sent), slog.Duration("took", time.Since(r.arrived)))
}

// downloadWriter counts what is sent, and replaces net/http's own errors. It
// keeps ReadFrom, by which files travel without a copy through this process.
type downloadWriter struct {
	http.ResponseWriter
	refuse func(status int)
	status int
	sent   int64
}

func (w *downloadWriter) WriteHeader(status int) {
	w.status = status
	if status == http.StatusRequestedRangeNotSatisfiable || status >= http.StatusInternalServerError {
		w.refuse(status)
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

var errRefused = errors.New("the answer is another")

func (w *downloadWriter) Write(p []byte) (int, error) {
	if w.status >= http.StatusBadRequest {
		return 0, errRefused
	}
	n, err := w.ResponseWriter.Write(p)
	w.sent += int64(n)
	return n, err
}

// ReadFrom implements io.ReaderFrom.
func (w *downloadWriter) ReadFrom(r io.Reader) (int64, error) {
	n, err := io.Copy(w.ResponseWriter, r)
	w.sent += n
	return n, err
}
