package spk

import (
	"fmt"

	"capnproto.org/go/capnp/v3"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/schema"
)

func (b *builder) metadata(out schema.Metadata, m *sandstorm.Metadata) {
	b.icon(m.Icons.AppGrid, out.Icons().NewAppGrid)
	b.icon(m.Icons.Grain, out.Icons().NewGrain)
	b.icon(m.Icons.Market, out.Icons().NewMarket)
	b.fail(checkURL("website", m.Website))
	b.fail(checkURL("codeUrl", m.CodeURL))
	b.text(m.Website, out.SetWebsite)
	b.text(m.CodeURL, out.SetCodeUrl)
	b.text(m.ContactEmail, out.Author().SetContactEmail)
	b.text(m.UpstreamAuthor, out.Author().SetUpstreamAuthor)
	b.localized(m.Description, out.NewDescription)
	b.localized(m.ShortDescription, out.NewShortDescription)
	b.localized(m.ChangeLog, out.NewChangeLog)
	b.license(out.License(), m.License)
	if len(m.Categories) == 0 {
		return
	}
	list, err := out.NewCategories(int32(len(m.Categories)))
	if b.fail(err); b.err != nil {
		return
	}
	for i, name := range m.Categories {
		c := schema.CategoryFromString(name)
		if c.String() != name {
			b.fail(fmt.Errorf("unknown category %q", name))
		}
		list.Set(i, c)
	}
}

func (b *builder) license(out schema.Metadata_license, l sandstorm.License) {
	if l.OpenSource != "" {
		id := schema.OpenSourceLicenseFromString(l.OpenSource)
		if id.String() != l.OpenSource || id == schema.OpenSourceLicense_invalid {
			b.fail(fmt.Errorf("unknown licence %q", l.OpenSource))
		}
		out.SetOpenSource(id)
	}
	b.localized(l.Proprietary, out.NewProprietary)
	b.localized(l.PublicDomain, out.NewPublicDomain)
	b.localized(l.Notices, out.NewNotices)
}

func (b *builder) icon(icon *sandstorm.Icon, newIcon func() (schema.Metadata_Icon, error)) {
	if icon == nil {
		return
	}
	out, err := newIcon()
	if b.fail(err); b.err != nil {
		return
	}
	switch icon.MIMEType {
	case "image/svg+xml":
		b.fail(out.SetSvg(string(b.picture(icon.Asset))))
	case "image/png":
		out.SetPng()
		b.fail(out.Png().SetDpi1x(b.picture(icon.Asset)))
		if icon.Asset2x != "" {
			b.fail(out.Png().SetDpi2x(b.picture(icon.Asset2x)))
		}
	default:
		b.fail(fmt.Errorf("icons of type %q do not exist", icon.MIMEType))
	}
}

func (b *builder) picture(id sandstorm.AssetID) []byte {
	for _, p := range b.pictures {
		if p.ID == id {
			return p.Content
		}
	}
	b.fail(fmt.Errorf("picture %s is missing", id))
	return nil
}

func (b *builder) bridgeConfig(out schema.BridgeConfig, c *sandstorm.BridgeConfig) {
	b.text(c.APIPath, out.SetApiPath)
	view, err := out.NewViewInfo()
	if b.fail(err); b.err != nil {
		return
	}
	defs, err := view.NewPermissions(int32(len(c.Permissions)))
	if b.fail(err); b.err != nil {
		return
	}
	for i, def := range c.Permissions {
		to := defs.At(i)
		b.text(def.Name, to.SetName)
		b.localized(def.Title, to.NewTitle)
		to.SetObsolete(def.Obsolete)
	}
	roles, err := view.NewRoles(int32(len(c.Roles)))
	if b.fail(err); b.err != nil {
		return
	}
	for i, role := range c.Roles {
		to := roles.At(i)
		b.localized(role.Title, to.NewTitle)
		b.localized(role.VerbPhrase, to.NewVerbPhrase)
		b.bools(role.Permissions, to.NewPermissions)
		to.SetObsolete(role.Obsolete)
		to.SetDefault(role.Default)
	}
}

func (b *builder) bools(set []bool, newList func(int32) (capnp.BitList, error)) {
	list, err := newList(int32(len(set)))
	if b.fail(err); b.err != nil {
		return
	}
	for i, v := range set {
		list.Set(i, v)
	}
}
