package dokuwiki_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/sandstorm-go/sandstorm/apps/internal/graintest"
	"github.com/sandstorm-go/sandstorm/test/browsertest"
)

func TestMain(m *testing.M) { os.Exit(graintest.Main(m)) }

// A person writes a page, another reads it; the grain is killed in between.
func TestPagesInTheBrowser(t *testing.T) {
	g := graintest.Start(t, "dokuwiki")
	ctx := browsertest.Open(t)
	writer := g.As("Ann Öl", "view", "edit").URL
	browsertest.Run(t, ctx, chromedp.Navigate(writer+"/garden?do=edit"))
	browsertest.WaitFor(t, ctx, `document.querySelector("#wiki__text")`)
	browsertest.Run(t, ctx,
		chromedp.SendKeys(chromedp.CSS("#wiki__text"), "====== Our garden ======\nTomatoes and **basil**. <script>alert(1)</script>"),
		chromedp.Click(chromedp.CSS("#edbtn__save")))
	browsertest.WaitFor(t, ctx, `document.querySelector("#our_garden")?.textContent === "Our garden" && document.querySelector(".page strong")?.textContent === "basil"`)
	browsertest.WaitFor(t, ctx, `location.pathname === "/garden" && document.title.startsWith("Our garden")`)
	browsertest.WaitFor(t, ctx, `[...document.styleSheets].some(s => [...s.cssRules].map(r => r.cssText).join("").length > 20000)`)
	browsertest.WaitFor(t, ctx, `window.jQuery && jQuery.ui && window.dw_page`)
	g.Restart()
	browsertest.Run(t, ctx, chromedp.Navigate(g.As("Bob", "view").URL+"/garden?do=revisions"))
	browsertest.WaitFor(t, ctx, `document.querySelector(".page")?.innerText.includes("Ann Öl")`)
	browsertest.Run(t, ctx, chromedp.Navigate(g.As("Bob", "view").URL+"/garden?do=edit"))
	browsertest.WaitFor(t, ctx, `document.querySelector("#wiki__text")?.readOnly !== false`)
}

var token = regexp.MustCompile(`name="sectok" value="([0-9a-f]+)"`)

func TestRights(t *testing.T) {
	g := graintest.Start(t, "dokuwiki")
	nobody, reader, writer, manager := g.As("N"), g.As("R", "view"), g.As("W", "view", "edit"), g.As("M", "view", "edit", "admin")
	for _, tt := range []struct {
		who   string
		path  string
		code  int
		shows string
	}{
		{nobody.URL, "/", 403, "You may not"},
		{nobody.URL, "/lib/exe/css.php", 403, "You may not"},
		{reader.URL, "/", 200, "This topic does not exist yet"},
		{reader.URL, "/start?do=edit", 200, ""},
		{writer.URL, "/start?do=edit", 200, `id="wiki__text"`},
		{writer.URL, "/start?do=admin", 200, ""},
		{manager.URL, "/start?do=admin", 200, "Access Control List Management"},
		{writer.URL, "/lib/exe/css.php?t=dokuwiki", 200, "body"},
		{writer.URL, "/lib/exe/js.php?t=dokuwiki", 200, "setTitle"},
		{writer.URL, "/lib/exe/jquery.php", 200, "jQuery"},
		{writer.URL, "/lib/tpl/dokuwiki/images/logo.png", 200, "PNG"},
		{writer.URL, "/lib/tpl/dokuwiki/../../../inc/init.php", 200, ""},
		{writer.URL, "/lib/plugins/authsandstorm/auth.php", 200, "This topic does not exist yet"},
		{writer.URL, "/inc/init.php", 200, "This topic does not exist yet"},
		{writer.URL, "/data/pages/x.txt", 200, "This topic does not exist yet"},
		{writer.URL, "/feed.php", 200, "<rdf:RDF"},
	} {
		resp, err := http.Get(tt.who + tt.path)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != tt.code || !strings.Contains(string(b), tt.shows) {
			t.Errorf("GET %s: %d %v, want %d and %q in %.400q", tt.path, resp.StatusCode, err, tt.code, tt.shows, b)
		}
		if tt.who == reader.URL && strings.Contains(string(b), "edbtn__save") {
			t.Errorf("GET %s lets a reader save", tt.path)
		}
		if tt.who == writer.URL && strings.Contains(string(b), "Access Control List Management") {
			t.Errorf("GET %s lets a writer manage the wiki", tt.path)
		}
		if strings.Contains(string(b), "<?php") {
			t.Errorf("GET %s shows PHP source", tt.path)
		}
	}
}

// Files go in and come out unchanged, also larger ones.
func TestMedia(t *testing.T) {
	g := graintest.Start(t, "dokuwiki")
	s := g.As("Ann", "view", "edit")
	jar := &oneJar{}
	client := &http.Client{Jar: jar}
	resp, err := client.Get(s.URL + "/start?do=media&ns=")
	if err != nil {
		t.Fatal(err)
	}
	page, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	sectok := token.FindSubmatch(page)
	if sectok == nil {
		t.Fatalf("no token in %.500s", page)
	}
	content := bytes.Repeat([]byte("0123456789abcdef"), 200_000)
	resp, err = client.Post(s.URL+"/lib/exe/ajax.php?call=mediaupload&ns=&qqfile=big.zip&sectok="+string(sectok[1]), "application/octet-stream", bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	answer, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if !strings.Contains(string(answer), `"success":true`) {
		t.Fatalf("upload: %d %s", resp.StatusCode, answer)
	}
	resp, err = client.Get(s.URL + "/_media/big.zip")
	if err != nil {
		t.Fatal(err)
	}
	got, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if !bytes.Equal(got, content) {
		t.Errorf("%d bytes came back as %d, status %d", len(content), len(got), resp.StatusCode)
	}
}

// oneJar keeps cookies for one host.
type oneJar struct{ cookies map[string]*http.Cookie }

func (j *oneJar) SetCookies(_ *url.URL, cookies []*http.Cookie) {
	if j.cookies == nil {
		j.cookies = map[string]*http.Cookie{}
	}
	for _, c := range cookies {
		j.cookies[c.Name] = c
	}
}

func (j *oneJar) Cookies(*url.URL) (all []*http.Cookie) {
	for _, c := range j.cookies {
		all = append(all, c)
	}
	return all
}
