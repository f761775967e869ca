package locale

import (
	"fmt"
	"time"

	"golang.org/x/text/number"
)

// Number writes an integer with the language's grouping.
func (l *Locale) Number(n int64) string { return l.printer.Sprint(number.Decimal(n)) }

// Bytes writes a size with a decimal unit and at most one digit after the
// point.
func (l *Locale) Bytes(n int64) string {
	if n < 0 {
		n = 0
	}
	if n < 1000 {
		return l.N("format.bytes", int(n))
	}
	units := [...]string{"format.kb", "format.mb", "format.gb", "format.tb"}
	value, unit := float64(n)/1000, 0
	// 999.95 and more would print as 1000.
	for value >= 999.95 && unit < len(units)-1 {
		value /= 1000
		unit++
	}
	digits := 1
	if value >= 100 {
		digits = 0
	}
	text := l.printer.Sprint(number.Decimal(value, number.MaxFractionDigits(digits)))
	return l.T(units[unit], "N", text)
}

// Ago writes a time relative to now, as coarse as people speak: "just now",
// "5 minutes ago", "yesterday"; a date after a month.
func (l *Locale) Ago(t, now time.Time) string {
	if t.IsZero() {
		return l.T("format.never")
	}
	d := now.Sub(t)
	switch days := int(d.Hours() / 24); {
	case d < time.Minute: // clocks differ: the near future is now
		return l.T("format.now")
	case d < time.Hour:
		return l.N("format.minutesAgo", int(d.Minutes()))
	case d < 24*time.Hour:
		return l.N("format.hoursAgo", int(d.Hours()))
	case days == 1:
		return l.T("format.yesterday")
	case days < 30:
		return l.N("format.daysAgo", days)
	}
	return l.Date(t)
}

// Date writes a day. The server does not know the reader's time zone: it writes
// UTC, and the page's script writes local time over it.
func (l *Locale) Date(t time.Time) string {
	t = t.UTC()
	return l.T("format.date", "Day", t.Day(), "Year", t.Year(),
		"Month", l.T(fmt.Sprintf("format.month%d", int(t.Month()))))
}

// DateTime writes a day and a time, in UTC.
func (l *Locale) DateTime(t time.Time) string {
	return l.T("format.dateTime", "Date", l.Date(t), "Time", t.UTC().Format("15:04"))
}
