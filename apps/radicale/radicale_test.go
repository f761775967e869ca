package radicale_test

import (
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/sandstorm-go/sandstorm/apps/internal/graintest"
	"github.com/sandstorm-go/sandstorm/test/browsertest"
)

func TestMain(m *testing.M) { os.Exit(graintest.Main(m)) }

const (
	xmlHead = `<?xml version="1.0" encoding="utf-8"?>`
	ns      = ` xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:A="urn:ietf:params:xml:ns:carddav"`
	event   = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:tea@test\r\nDTSTAMP:20261101T000000Z\r\n" +
		"DTSTART;TZID=Europe/Paris:20261124T160000\r\nDTEND;TZID=Europe/Paris:20261124T170000\r\nRRULE:FREQ=WEEKLY;COUNT=4\r\nSUMMARY:Tee für zwei\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	card = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:ann@test\r\nFN:Ann Öl\r\nN:Öl;Ann;;;\r\nEMAIL:ann@example.org\r\nEND:VCARD\r\n"
)

// client speaks CalDAV and CardDAV.
type client struct {
	t *testing.T
	s *httptest.Server
}

// ask sends a request and checks status and a part of the answer.
func (c client) ask(method, path, body string, code int, part string, header ...string) string {
	c.t.Helper()
	got, answer, h := graintest.DoHeader(c.t, c.s, method, path, body, header...)
	if got != code || !strings.Contains(answer, part) {
		c.t.Errorf("%s %s: %d %.600q, want %d and %q", method, path, got, answer, code, part)
	}
	return h.Get("ETag")
}

func (c client) propfind(path, depth, props string, part string) {
	c.t.Helper()
	c.ask("PROPFIND", path, xmlHead+`<D:propfind`+ns+`><D:prop>`+props+`</D:prop></D:propfind>`, 207, part, "Depth: "+depth, "Content-Type: application/xml")
}

func (c client) report(path, kind, inner, part string) {
	c.t.Helper()
	c.ask("REPORT", path, xmlHead+`<`+kind+ns+`>`+inner+`</`+kind+`>`, 207, part, "Depth: 1", "Content-Type: application/xml")
}

func makeCollection(kind string) string {
	return xmlHead + `<D:mkcol` + ns + `><D:set><D:prop><D:resourcetype><D:collection/><` + kind + `/></D:resourcetype><D:displayname>Mine</D:displayname></D:prop></D:set></D:mkcol>`
}

// What a calendar program does: find the way from the root, make a calendar and
// an address book, store, ask, change and remove entries.
func TestCalDAVAndCardDAV(t *testing.T) {
	g := graintest.Start(t, "radicale")
	c := client{t, g.API("view", "edit")}

	c.propfind("/", "0", `<D:current-user-principal/>`, `<href>/shared/</href>`)
	c.propfind("/shared/", "0", `<C:calendar-home-set/><A:addressbook-home-set/>`, `<C:calendar-home-set><href>/shared/</href>`)
	c.ask("MKCOL", "/shared/cal/", makeCollection("C:calendar"), 201, "", "Content-Type: application/xml")
	c.ask("MKCOL", "/shared/book/", makeCollection("A:addressbook"), 201, "", "Content-Type: application/xml")
	c.ask("MKCOL", "/shared/cal/", makeCollection("C:calendar"), 405, "", "Content-Type: application/xml")
	c.propfind("/shared/", "1", `<D:displayname/><D:resourcetype/>`, `<displayname>Mine</displayname>`)

	c.ask("PUT", "/shared/cal/tea.ics", event, 201, "", "Content-Type: text/calendar; charset=utf-8", "If-None-Match: *")
	tag := c.ask("GET", "/shared/cal/tea.ics", "", 200, "SUMMARY:Tee für zwei")
	c.ask("PUT", "/shared/cal/tea.ics", event, 412, "", "Content-Type: text/calendar; charset=utf-8", "If-None-Match: *")
	c.ask("PUT", "/shared/cal/tea.ics", event, 412, "", "Content-Type: text/calendar; charset=utf-8", `If-Match: "stale"`)
	c.ask("PUT", "/shared/cal/tea.ics", strings.Replace(event, "zwei", "drei", 1), 201, "", "Content-Type: text/calendar; charset=utf-8", "If-Match: "+tag)

	during := func(start, end string) string {
		return `<D:prop><D:getetag/><C:calendar-data/></D:prop><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:time-range start="` + start + `" end="` + end + `"/></C:comp-filter></C:comp-filter></C:filter>`
	}
	// The third week's occurrence, at 16:00 in Paris: only somebody who knows the
	// time zone and the recurrence finds it.
	c.report("/shared/cal/", "C:calendar-query", during("20261208T150000Z", "20261208T153000Z"), "Tee für drei")
	_, body := graintest.Do(t, c.s, "REPORT", "/shared/cal/", xmlHead+`<C:calendar-query`+ns+`>`+during("20261208T170000Z", "20261208T180000Z")+`</C:calendar-query>`, "Depth: 1", "Content-Type: application/xml")
	if strings.Contains(body, "tea.ics") {
		t.Errorf("an event is found outside its time: %s", body)
	}
	c.report("/shared/cal/", "C:calendar-multiget", `<D:prop><C:calendar-data/></D:prop><D:href>/shared/cal/tea.ics</D:href><D:href>/shared/cal/none.ics</D:href>`, "404 Not Found")
	c.report("/shared/cal/", "D:sync-collection", `<D:sync-token/><D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop>`, "<sync-token>")

	c.ask("PUT", "/shared/book/ann.vcf", card, 201, "", "Content-Type: text/vcard; charset=utf-8", "If-None-Match: *")
	c.report("/shared/book/", "A:addressbook-query", `<D:prop><A:address-data/></D:prop><A:filter><A:prop-filter name="EMAIL"><A:text-match>ann@</A:text-match></A:prop-filter></A:filter>`, "FN:Ann Öl")
	c.ask("PROPPATCH", "/shared/cal/", xmlHead+`<D:propertyupdate`+ns+`><D:set><D:prop><D:displayname>Team</D:displayname></D:prop></D:set></D:propertyupdate>`, 207, "200 OK", "Content-Type: application/xml")
	c.ask("MOVE", "/shared/cal/tea.ics", "", 201, "", "Destination: "+c.s.URL+"/shared/cal/moved.ics")

	g.Restart()
	reader := client{t, g.API("view")}
	reader.ask("GET", "/shared/cal/moved.ics", "", 200, "Tee für drei")
	reader.propfind("/shared/cal/", "0", `<D:displayname/>`, "Team")
	reader.ask("PUT", "/shared/cal/x.ics", event, 403, "", "Content-Type: text/calendar")
	reader.ask("DELETE", "/shared/cal/moved.ics", "", 403, "")
	client{t, g.API()}.ask("GET", "/shared/cal/moved.ics", "", 403, "")
	c = client{t, g.API("view", "edit")}
	c.ask("DELETE", "/shared/cal/moved.ics", "", 200, "")
	c.ask("GET", "/shared/cal/moved.ics", "", 404, "")
	c.ask("PUT", "/other/cal.ics", event, 403, "", "Content-Type: text/calendar")
	c.ask("PUT", "/shared/cal/bad.ics", "nonsense", 400, "", "Content-Type: text/calendar")
}

// The page signs in by itself and makes a calendar.
func TestPage(t *testing.T) {
	g := graintest.Start(t, "radicale")
	ctx := browsertest.Open(t)
	browsertest.Run(t, ctx, chromedp.Navigate(g.As("Ann", "view", "edit").URL+"/"))
	browsertest.WaitFor(t, ctx, `document.querySelector("#collectionsscene").checkVisibility()`)
	browsertest.Run(t, ctx, chromedp.Click(chromedp.CSS("#collectionsscene [data-name=new]")))
	browsertest.WaitFor(t, ctx, `document.querySelector("#createcollectionscene").checkVisibility()`)
	browsertest.Run(t, ctx,
		chromedp.SendKeys(chromedp.CSS("#createcollectionscene [data-name=displayname]"), "Holidays"),
		chromedp.Click(chromedp.CSS("#createcollectionscene [data-name=submit]")))
	browsertest.WaitFor(t, ctx, `document.querySelector("#collectionsscene").checkVisibility() && document.querySelector("#collectionsscene").innerText.includes("Holidays")`)
}
