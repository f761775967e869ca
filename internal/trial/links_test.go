package trial

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestLinks(t *testing.T) {
	for _, c := range []struct {
		media, body string
		want        []string
	}{
		{"text/html; charset=utf-8", `<LINK REL="shortcut icon" HREF=a.ico><link rel=next href=b>`, []string{"a.ico"}},
		{"text/html", `<img src=a.png srcset="b.png 2x, c.png 3x"><source srcset=d.webp>`, []string{"a.png", "b.png", "c.png", "d.webp"}},
		{"text/html", `<script src="/a.js?v=1&amp;w=2"></script><script>import("./b.js"); "<img src=no>"</script>`, []string{"/a.js?v=1&w=2", "./b.js"}},
		{"text/html", `<style>@import 'a.css'; x { background: url( b.png ) }</style><p style="background: url(c.png)">`, []string{"a.css", "b.png", "c.png"}},
		{"text/html", `<iframe src=a></iframe><object data=b></object><video poster=c><a href=no></a><form action=no>`, []string{"a", "b", "c"}},
		{"text/html", `<svg><use href="a.svg#x"/></svg><!-- <img src=no> -->`, []string{"a.svg#x"}},
		{"text/css", `@import "a.css"; @font-face { src: url('b.woff2') } y { background: URL(c.png) }`, []string{"a.css", "b.woff2", "c.png"}},
		{"text/javascript", `import a from './a.js'; export * from "../b.js"; import x from "bare"; import "/c.js"`, []string{"./a.js", "../b.js", "/c.js"}},
		{"application/json", `{"src": "a.png"}`, nil},
		{"", `<img src=a.png>`, nil},
		{";;", `<img src=a.png>`, nil},
	} {
		if got := links(c.media, []byte(c.body)); !slices.Equal(got, c.want) {
			t.Errorf("%s %s\n got %q\nwant %q", c.media, c.body, got, c.want)
		}
	}
}

func FuzzLinks(f *testing.F) {
	f.Add("text/html", []byte(`<link rel=icon href=a><img srcset="b 2x,,"><style>url(c)</style><script>from "./d"</script>`))
	f.Add("text/css", []byte(`@import "a"; url( 'b' )`))
	f.Add("text/javascript", []byte(`import("./a")`))
	f.Fuzz(func(t *testing.T, media string, body []byte) {
		size := 0
		for _, link := range links(media, body) {
			if link == "" {
				t.Error("an empty link")
			}
			size += len(link)
		}
		if size > 16*len(body)+1024 { // entities can grow, but not without bounds
			t.Errorf("%d bytes of links out of %d", size, len(body))
		}
	})
}

func TestListeners(t *testing.T) {
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1 0 100 0 0 10 0
   1: 0100007F:1F41 0100007F:9999 01 00000000:00000000 00:00000000 00000000  1000        0 1 1 0 100 0 0 10 0
   2: 00000000000000000000000001000000:0BB8 00000000000000000000000000000000:0000 0A 0
   3: x:zz 0 0A
`
	if got, want := listeners(strings.NewReader(table)), []int{8000, 3000}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
