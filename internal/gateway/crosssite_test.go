package gateway_test

import (
	"net/http"
	"testing"
)

// TestForeignRequests is the matrix of gateway.md §4 and §16.
func TestForeignRequests(t *testing.T) {
	const sibling = "http://ui-00000000000000000000000000000000.sandstorm.test"
	type h = map[string]string
	fetch := func(site, mode, dest string) h {
		return h{"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
	}
	with := func(m h, origin string) h {
		out := h{"Origin": origin}
		for k, v := range m {
			out[k] = v
		}
		return out
	}
	f := newFixture(t, hello, testOptions{})
	own := f.gw.Hosts().SessionOrigin(f.id.HostID())
	tests := []struct {
		method string
		fields h
		ok     bool
	}{
		// The app's own page.
		{"GET", fetch("same-origin", "cors", "empty"), true},
		{"POST", fetch("same-origin", "cors", "empty"), true},
		{"POST", with(fetch("same-origin", "cors", "empty"), own), true},
		{"DELETE", with(fetch("same-origin", "cors", "empty"), "null"), true}, // no-referrer apps
		{"POST", with(fetch("same-origin", "cors", "empty"), sibling), false}, // a lie somewhere
		// Typed, bookmarked.
		{"GET", fetch("none", "navigate", "document"), true},
		{"POST", with(fetch("none", "navigate", "document"), "null"), false},
		// The shell's frame; links from elsewhere.
		{"GET", fetch("same-site", "navigate", "iframe"), true},
		{"GET", fetch("cross-site", "navigate", "iframe"), true},
		{"GET", fetch("same-site", "navigate", "document"), true},
		{"GET", fetch("cross-site", "navigate", "document"), true},
		{"HEAD", fetch("cross-site", "navigate", "document"), true},
		// A sibling grain or another site.
		{"POST", fetch("same-site", "navigate", "iframe"), false},
		{"POST", fetch("cross-site", "navigate", "document"), false},
		{"PUT", fetch("same-site", "navigate", "document"), false},
		{"GET", fetch("same-site", "no-cors", "image"), false},
		{"GET", fetch("same-site", "no-cors", "script"), false},
		{"GET", fetch("cross-site", "cors", "empty"), false},
		{"GET", fetch("same-site", "navigate", "object"), false},
		{"GET", fetch("same-site", "navigate", "embed"), false},
		{"GET", fetch("same-site", "navigate", ""), false},
		{"GET", fetch("same-site", "", ""), false},
		{"OPTIONS", with(fetch("same-site", "cors", "empty"), sibling), false},
		{"GET", with(fetch("same-site", "navigate", "iframe"), sibling), false},
		{"GET", fetch("SAME-ORIGIN", "cors", "empty"), false},
		{"GET", fetch("what", "navigate", "iframe"), true}, // a navigation in any case
		{"POST", fetch("what", "navigate", "iframe"), false},
		// Browsers and programs that say less.
		{"GET", nil, true},
		{"POST", nil, true},
		{"POST", h{"Origin": own}, true},
		{"POST", h{"Origin": own + "/"}, false},
		{"POST", h{"Origin": own + ".evil.test"}, false},
		{"POST", h{"Origin": "https" + own[4:]}, false},
		{"POST", h{"Origin": "http://sandstorm.test"}, false},
		{"POST", h{"Origin": sibling}, false},
		{"GET", h{"Origin": sibling}, false},
		{"POST", h{"Origin": "null"}, false},
		{"DELETE", h{"Origin": "null"}, false},
		{"GET", h{"Origin": "null"}, true},
		{"POST", h{"Origin": ""}, false},
	}
	for _, tt := range tests {
		r := f.request(tt.method, "/x", "")
		for k, v := range tt.fields {
			r.Header[k] = []string{v}
		}
		resp := f.do(r)
		if want := map[bool]int{true: 200, false: 403}[tt.ok]; resp.StatusCode != want {
			t.Errorf("%s %v: %s, want %d", tt.method, tt.fields, resp.Status, want)
		}
	}
	for _, name := range []string{"Sec-Fetch-Site", "Origin"} {
		r := f.request("POST", "/x", "")
		r.Header[name] = []string{"same-origin", "cross-site"}
		if resp := f.do(r); resp.StatusCode != 403 {
			t.Errorf("%s twice: %s", name, resp.Status)
		}
	}
}

func TestForeignWebSockets(t *testing.T) {
	f := newFixture(t, hello, testOptions{})
	own := f.gw.Hosts().SessionOrigin(f.id.HostID())
	for _, tt := range []struct {
		origin, site string
		ok           bool
	}{
		{own, "", true},
		{own, "same-origin", true},
		{"null", "same-origin", true},
		{"", "", true},
		{"null", "", false},
		{"null", "none", false},
		{"http://sandstorm.test", "", false},
		{"http://sandstorm.test", "same-site", false},
		{"", "same-site", false},
	} {
		r := f.request("GET", "/x", "")
		for k, v := range map[string]string{
			"Connection": "keep-alive, Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
			"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe",
		} {
			r.Header.Set(k, v)
		}
		if tt.origin != "" {
			r.Header.Set("Origin", tt.origin)
		}
		if tt.site != "" {
			r.Header.Set("Sec-Fetch-Site", tt.site)
		}
		resp := f.do(r)
		// hello knows no WebSockets and answers plainly.
		if (resp.StatusCode == http.StatusOK) != tt.ok {
			t.Errorf("%+v: %s", tt, resp.Status)
		}
	}
}
