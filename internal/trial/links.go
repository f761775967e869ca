package trial

import (
	"bytes"
	"mime"
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

// links are the addresses that a browser would fetch by itself to show a
// document. It finds what is there in the usual ways; scripts that build
// addresses are beyond it.
func links(contentType string, body []byte) []string {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil
	}
	switch {
	case media == "text/html", media == "application/xhtml+xml":
		return htmlLinks(body)
	case media == "text/css":
		return styleLinks(body)
	case strings.HasSuffix(media, "/javascript"), media == "application/x-javascript":
		return scriptLinks(body)
	}
	return nil
}

// relations are the kinds of <link> that are fetched without a click.
var relations = map[string]bool{
	"stylesheet": true, "icon": true, "apple-touch-icon": true, "manifest": true,
	"preload": true, "modulepreload": true, "prefetch": true,
}

// sources are the attributes of other elements that are fetched.
var sources = map[string][]string{
	"script": {"src"}, "img": {"src"}, "source": {"src"}, "video": {"src", "poster"}, "audio": {"src"},
	"track": {"src"}, "embed": {"src"}, "iframe": {"src"}, "frame": {"src"}, "object": {"data"},
	"input": {"src"}, "image": {"href", "xlink:href"}, "use": {"href", "xlink:href"},
}

func htmlLinks(body []byte) []string {
	var out []string
	inside := "" // the text of which element comes next
	for z := html.NewTokenizer(bytes.NewReader(body)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return out
		case html.TextToken:
			switch inside {
			case "style":
				out = append(out, styleLinks(z.Text())...)
			case "script":
				out = append(out, scriptLinks(z.Text())...)
			}
		case html.StartTagToken:
			tag := z.Token()
			inside = tag.Data
			out = append(out, tagLinks(&tag)...)
		case html.SelfClosingTagToken:
			tag := z.Token()
			out = append(out, tagLinks(&tag)...)
		case html.EndTagToken:
			inside = ""
		}
	}
}

func tagLinks(tag *html.Token) []string {
	attr := map[string]string{}
	for _, a := range tag.Attr {
		attr[a.Key] = a.Val
	}
	var out []string
	if tag.Data == "link" {
		for _, rel := range strings.Fields(strings.ToLower(attr["rel"])) {
			if relations[rel] && attr["href"] != "" {
				out = append(out, attr["href"])
				break
			}
		}
	}
	for _, name := range sources[tag.Data] {
		if attr[name] != "" {
			out = append(out, attr[name])
		}
	}
	for _, candidate := range strings.Split(attr["srcset"], ",") {
		if fields := strings.Fields(candidate); len(fields) > 0 {
			out = append(out, fields[0])
		}
	}
	return append(out, styleLinks([]byte(attr["style"]))...)
}

var (
	styleURL    = regexp.MustCompile(`(?i)url\(\s*(?:"([^"]+)"|'([^']+)'|([^"')\s]+))\s*\)|@import\s+(?:"([^"]+)"|'([^']+)')`)
	scriptPaths = regexp.MustCompile(`\b(?:from|import)\s*\(?\s*(?:"(\.{0,2}/[^"\s]+)"|'(\.{0,2}/[^'\s]+)')`)
)

func styleLinks(css []byte) []string { return groups(styleURL, css) }

// scriptLinks are the modules that a script imports by a path.
func scriptLinks(js []byte) []string { return groups(scriptPaths, js) }

// groups are the parts of text that the groups of re match.
func groups(re *regexp.Regexp, text []byte) []string {
	var out []string
	for _, match := range re.FindAllSubmatch(text, maxVisits) {
		for _, group := range match[1:] {
			if len(group) > 0 {
				out = append(out, string(group))
			}
		}
	}
	return out
}
