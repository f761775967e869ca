package spk

import (
	"capnproto.org/go/capnp/v3"

	"github.com/sandstorm-go/sandstorm/schema"
)

// What a description is made of, besides string, []byte (the schema's Data) and
// nil (Void).
type (
	object []member
	member struct {
		name  string
		value any
	}
	list   []any
	number int64
	svg    string // text that is a picture
)

// infoReader makes objects of a manifest, field by field in the order of their
// ordinals. Pointers that are null are left out; the rest is there even if it
// has its default value.
type infoReader struct{ fields }

func (r *infoReader) verifiedInfo(v *Verified, m schema.Manifest, metadata schema.Metadata) object {
	out := object{
		{"appId", string(v.AppID)},
		{"packageId", string(v.PackageID)},
		{"title", r.localized(m.AppTitle())},
		{"version", number(m.AppVersion())},
		{"marketingVersion", r.localized(m.AppMarketingVersion())},
	}
	if v.Fingerprint != "" {
		out = append(out, member{"authorPgpKeyFingerprint", v.Fingerprint})
	}
	return append(out, member{"metadata", r.metadata(metadata)})
}

func (r *infoReader) localized(t schema.LocalizedText, err error) object {
	t = take(&r.fields, t, err)
	out := object{}
	if t.HasDefaultText() {
		out = append(out, member{"defaultText", r.text(t.DefaultText())})
	}
	if !t.HasLocalizations() {
		return out
	}
	l, err := t.Localizations()
	texts := elements(r, "localizations", l, err, func(at schema.LocalizedText_Localization) any {
		var one object
		if at.HasLocale() {
			one = append(one, member{"locale", r.text(at.Locale())})
		}
		if at.HasText() {
			one = append(one, member{"text", r.text(at.Text())})
		}
		return one
	})
	return append(out, member{"localizations", texts})
}

// elements makes a list; no list in metadata has a use for many.
func elements[T any](r *infoReader, what string, l interface {
	Len() int
	At(int) T
}, err error, one func(T) any,
) list {
	out := list{}
	if r.fail(err); r.err != nil {
		return out
	}
	for i := range r.count(what, l.Len(), 1000) {
		out = append(out, one(l.At(i)))
	}
	return out
}

func (r *infoReader) metadata(m schema.Metadata) object {
	out := object{{"icons", r.icons(m.Icons())}}
	if m.HasWebsite() {
		out = append(out, member{"website", r.text(m.Website())})
	}
	if m.HasCodeUrl() {
		out = append(out, member{"codeUrl", r.text(m.CodeUrl())})
	}
	out = append(out, member{"license", r.license(m.License())})
	if m.HasCategories() {
		l, err := m.Categories()
		out = append(out, member{"categories", elements(r, "categories", capnp.EnumList[schema.Category](l), err, func(c schema.Category) any {
			return enumerant(c.String(), uint16(c))
		})})
	}
	out = append(out, member{"author", r.author(m.Author())})
	if m.HasPgpKeyring() {
		out = append(out, member{"pgpKeyring", r.data(m.PgpKeyring())})
	}
	if m.HasDescription() {
		out = append(out, member{"description", r.localized(m.Description())})
	}
	if m.HasShortDescription() {
		out = append(out, member{"shortDescription", r.localized(m.ShortDescription())})
	}
	if m.HasScreenshots() {
		l, err := m.Screenshots()
		out = append(out, member{"screenshots", elements(r, "screenshots", l, err, r.screenshot)})
	}
	if m.HasChangeLog() {
		out = append(out, member{"changeLog", r.localized(m.ChangeLog())})
	}
	return out
}

func (r *infoReader) icons(m schema.Metadata_icons) object {
	out := object{}
	for _, icon := range []struct {
		name string
		has  func() bool
		get  func() (schema.Metadata_Icon, error)
	}{
		{"appGrid", m.HasAppGrid, m.AppGrid},
		{"grain", m.HasGrain, m.Grain},
		{"market", m.HasMarket, m.Market},
		{"marketBig", m.HasMarketBig, m.MarketBig},
	} {
		if icon.has() {
			got, err := icon.get()
			out = append(out, member{icon.name, r.icon(take(&r.fields, got, err))})
		}
	}
	return out
}

func (r *infoReader) icon(in schema.Metadata_Icon) object {
	switch in.Which() {
	case schema.Metadata_Icon_Which_unknown:
		return object{{"unknown", nil}}
	case schema.Metadata_Icon_Which_svg:
		if !in.HasSvg() {
			return object{{"svg", nil}}
		}
		return object{{"svg", svg(r.text(in.Svg()))}}
	case schema.Metadata_Icon_Which_png:
		png := object{}
		if in.Png().HasDpi1x() {
			png = append(png, member{"dpi1x", r.data(in.Png().Dpi1x())})
		}
		if in.Png().HasDpi2x() {
			png = append(png, member{"dpi2x", r.data(in.Png().Dpi2x())})
		}
		return object{{"png", png}}
	}
	return object{} // of a kind newer than this
}

func (r *infoReader) license(in schema.Metadata_license) object {
	out := object{}
	switch in.Which() {
	case schema.Metadata_license_Which_none:
		out = object{{"none", nil}}
	case schema.Metadata_license_Which_openSource:
		out = object{{"openSource", enumerant(in.OpenSource().String(), uint16(in.OpenSource()))}}
	case schema.Metadata_license_Which_proprietary:
		out = object{{"proprietary", r.localizedOrNull(in.HasProprietary(), in.Proprietary)}}
	case schema.Metadata_license_Which_publicDomain:
		out = object{{"publicDomain", r.localizedOrNull(in.HasPublicDomain(), in.PublicDomain)}}
	}
	if in.HasNotices() {
		out = append(out, member{"notices", r.localized(in.Notices())})
	}
	return out
}

func (r *infoReader) localizedOrNull(has bool, get func() (schema.LocalizedText, error)) any {
	if !has {
		return nil
	}
	return r.localized(get())
}

func (r *infoReader) author(in schema.Metadata_author) object {
	out := object{}
	if in.HasContactEmail() {
		out = append(out, member{"contactEmail", r.text(in.ContactEmail())})
	}
	if in.HasPgpSignature() {
		out = append(out, member{"pgpSignature", r.data(in.PgpSignature())})
	}
	if in.HasUpstreamAuthor() {
		out = append(out, member{"upstreamAuthor", r.text(in.UpstreamAuthor())})
	}
	return out
}

func (r *infoReader) screenshot(in schema.Metadata_Screenshot) any {
	out := object{{"width", number(in.Width())}, {"height", number(in.Height())}}
	data := func(name string, has bool, get func() ([]byte, error)) object {
		if !has {
			return append(out, member{name, nil})
		}
		return append(out, member{name, r.data(get())})
	}
	switch in.Which() {
	case schema.Metadata_Screenshot_Which_unknown:
		return append(out, member{"unknown", nil})
	case schema.Metadata_Screenshot_Which_png:
		return data("png", in.HasPng(), in.Png)
	case schema.Metadata_Screenshot_Which_jpeg:
		return data("jpeg", in.HasJpeg(), in.Jpeg)
	}
	return out
}

// data takes a copy, as the archive is unmapped before it is printed.
func (r *infoReader) data(b []byte, err error) []byte {
	return append([]byte{}, take(&r.fields, b, err)...)
}

// enumerant is a name, or the number of one that this program does not know.
func enumerant(name string, value uint16) any {
	if name == "" {
		return number(value)
	}
	return name
}
