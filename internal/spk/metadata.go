package spk

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/schema"
)

// Picture is an icon out of a manifest. It comes from a stranger and SVG can
// hold scripts: it may be served only where nothing else is at stake.
type Picture struct {
	ID       sandstorm.AssetID
	MIMEType string // image/svg+xml or image/png
	Content  []byte
}

// NewPicture names a picture by its content.
func NewPicture(mimeType string, content []byte) Picture {
	sum := sha256.Sum256(content)
	return Picture{ID: sandstorm.AssetID(hex.EncodeToString(sum[:])), MIMEType: mimeType, Content: content}
}

func (p *manifestParser) metadata(in schema.Metadata) sandstorm.Metadata {
	m := sandstorm.Metadata{
		Icons:            p.icons(in.Icons()),
		Website:          p.text(in.Website()),
		CodeURL:          p.text(in.CodeUrl()),
		License:          p.license(in.License()),
		ContactEmail:     p.text(in.Author().ContactEmail()),
		UpstreamAuthor:   p.text(in.Author().UpstreamAuthor()),
		Description:      p.localized(in.Description()),
		ShortDescription: p.localized(in.ShortDescription()),
		ChangeLog:        p.localized(in.ChangeLog()),
	}
	c, err := in.Categories()
	categories := take(&p.fields, c, err)
	for i := range categories.Len() {
		// Categories newer than this server have no name.
		if name := categories.At(i).String(); name != "" && len(m.Categories) < 32 {
			m.Categories = append(m.Categories, name)
		}
	}
	p.fail(checkURL("website", m.Website))
	p.fail(checkURL("codeUrl", m.CodeURL))
	return m
}

func (p *manifestParser) license(in schema.Metadata_license) sandstorm.License {
	out := sandstorm.License{Notices: p.localized(in.Notices())}
	switch in.Which() {
	case schema.Metadata_license_Which_openSource:
		if l := in.OpenSource(); l != schema.OpenSourceLicense_invalid {
			out.OpenSource = l.String()
		}
	case schema.Metadata_license_Which_proprietary:
		out.Proprietary = p.localized(in.Proprietary())
	case schema.Metadata_license_Which_publicDomain:
		out.PublicDomain = p.localized(in.PublicDomain())
	}
	return out
}

// icons falls back from the smaller uses to the app grid's icon.
func (p *manifestParser) icons(in schema.Metadata_icons) sandstorm.Icons {
	out := sandstorm.Icons{
		AppGrid: p.icon(in.AppGrid()),
		Grain:   p.icon(in.Grain()),
		Market:  p.icon(in.Market()),
	}
	if out.Grain == nil {
		out.Grain = out.AppGrid
	}
	if out.Market == nil {
		out.Market = out.AppGrid
	}
	return out
}

func (p *manifestParser) icon(in schema.Metadata_Icon, err error) *sandstorm.Icon {
	in = take(&p.fields, in, err)
	switch in.Which() {
	case schema.Metadata_Icon_Which_svg:
		svg, err := in.SvgBytes()
		if id := p.picture("image/svg+xml", take(&p.fields, svg, err)); id != "" {
			return &sandstorm.Icon{MIMEType: "image/svg+xml", Asset: id}
		}
	case schema.Metadata_Icon_Which_png:
		one, err1 := in.Png().Dpi1x()
		two, err2 := in.Png().Dpi2x()
		icon := &sandstorm.Icon{
			MIMEType: "image/png",
			Asset:    p.picture("image/png", take(&p.fields, one, err1)),
			Asset2x:  p.picture("image/png", take(&p.fields, two, err2)),
		}
		if icon.Asset == "" {
			icon.Asset, icon.Asset2x = icon.Asset2x, ""
		}
		if icon.Asset != "" {
			return icon
		}
	}
	return nil
}

// picture keeps a copy of the content; equal ones are kept once.
func (p *manifestParser) picture(mimeType string, content []byte) sandstorm.AssetID {
	if len(content) == 0 {
		return ""
	}
	picture := NewPicture(mimeType, append([]byte{}, content...))
	for _, known := range p.pictures {
		if known.ID == picture.ID {
			return known.ID
		}
	}
	p.pictures = append(p.pictures, picture)
	return picture.ID
}
