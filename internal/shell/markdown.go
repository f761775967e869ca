package shell

import (
	"bytes"
	"html/template"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// maxMarkdown bounds the foreign texts that we draw, in bytes.
const maxMarkdown = 64 << 10

// converter draws the Markdown of packages. Raw HTML stays off, which is
// goldmark's default, as are javascript: addresses.
var converter = goldmark.New(
	goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.Linkify),
	goldmark.WithParserOptions(parser.WithASTTransformers(util.Prioritized(tame{}, 100))),
)

// markdown draws a package's description or change log. Its author is a
// stranger: no HTML, no pictures (they would tell third parties who reads
// this), links that say where they come from to nobody.
func markdown(source string) template.HTML {
	if len(source) > maxMarkdown {
		source = source[:maxMarkdown]
	}
	var buf bytes.Buffer
	if err := converter.Convert([]byte(source), &buf); err != nil {
		return template.HTML("<p>" + template.HTMLEscapeString(source) + "</p>")
	}
	return template.HTML(buf.String())
}

// tame changes a parsed text so that it fits into our page.
type tame struct{}

// Transform replaces pictures by their text, moves headings below ours and
// marks links as foreign.
func (tame) Transform(doc *ast.Document, reader text.Reader, _ parser.Context) {
	var pictures []ast.Node
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // the walker cannot fail
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Image:
			pictures = append(pictures, n)
		case *ast.Heading:
			n.Level = min(n.Level+2, 6)
		case *ast.Link, *ast.AutoLink:
			n.SetAttributeString("rel", []byte("noopener noreferrer nofollow"))
			n.SetAttributeString("target", []byte("_blank"))
		}
		return ast.WalkContinue, nil
	})
	for _, n := range pictures {
		n.Parent().ReplaceChild(n.Parent(), n, ast.NewString(alternative(n, reader.Source())))
	}
}

// alternative is the text that stands for a picture.
func alternative(n ast.Node, source []byte) []byte {
	var out []byte
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			out = append(out, c.Value(source)...)
		case *ast.String:
			out = append(out, c.Value...)
		default:
			out = append(out, alternative(c, source)...)
		}
	}
	return out
}
