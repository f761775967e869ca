package shell

import (
	"io"
	"net/http"
	"strings"

	"github.com/sandstorm-go/sandstorm"
)

// logBacklog is how much of a grain's log is shown at first, in bytes.
const logBacklog = 8 << 10

// logData is what the log page shows.
type logData struct {
	Row  *GrainRow
	Text string
}

// grainLog shows the end of a grain's log; script follows it.
func (s *Shell) grainLog(q *request) error {
	id, err := q.grainID()
	if err != nil {
		return err
	}
	row, err := s.Grains.Get(q.r.Context(), q.account, id)
	if err != nil {
		return err
	}
	if !row.CanWrite {
		return sandstorm.Errorf(sandstorm.Denied, "grain.not-owner", "log of grain %s", id)
	}
	log, err := s.Grains.Log(q.r.Context(), q.account, id, logBacklog, false)
	if err != nil {
		return err
	}
	defer log.Close() //nolint:errcheck // nothing was written
	text, err := io.ReadAll(io.LimitReader(log, logBacklog))
	if err != nil {
		return err
	}
	return s.render(q, page{
		Name: "grainlog", Title: q.loc.T("grain.logTitle", "Grain", row.Grain.Title), Nav: "grainlog",
		Data: logData{Row: row, Text: strings.ToValidUTF8(string(text), "\uFFFD")},
	})
}

// grainLogStream sends the log as plain text for as long as the reader stays.
func (s *Shell) grainLogStream(q *request) error {
	id, err := q.grainID()
	if err != nil {
		return err
	}
	done, err := s.streams.enter(q.account.ID)
	if err != nil {
		return err
	}
	defer done()
	log, err := s.Grains.Log(q.r.Context(), q.account, id, logBacklog, true)
	if err != nil {
		return err
	}
	defer log.Close() //nolint:errcheck // nothing was written
	q.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	q.w.Header().Set("X-Accel-Buffering", "no")
	rc := http.NewResponseController(q.w)
	if err := rc.Flush(); err != nil {
		return nil // the status is sent: nothing can be reported any more
	}
	buf := make([]byte, 8<<10)
	for {
		n, err := log.Read(buf)
		if n > 0 {
			if _, werr := q.w.Write(buf[:n]); werr != nil || rc.Flush() != nil {
				return nil
			}
		}
		if err != nil {
			return nil
		}
	}
}
