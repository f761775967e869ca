package spk

import (
	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/schema"
)

// maxPermissions bounds an app's permissions, and its roles; real apps have a
// handful.
const maxPermissions = 1000

// ParseBridgeConfig decodes the file sandstorm-http-bridge-config.
func ParseBridgeConfig(b []byte) (*sandstorm.BridgeConfig, error) {
	msg, err := parseMessage(b, MaxManifest)
	if err != nil {
		return nil, badBridgeConfig(err)
	}
	root, err := schema.ReadRootBridgeConfig(msg)
	if err != nil {
		return nil, badBridgeConfig(err)
	}
	var f fields
	v, err := root.ViewInfo()
	view := take(&f, v, err)
	out := &sandstorm.BridgeConfig{APIPath: f.text(root.ApiPath())}

	d, err := view.Permissions()
	defs := take(&f, d, err)
	for i := range f.count("permissions", defs.Len(), maxPermissions) {
		if f.err != nil {
			break
		}
		out.Permissions = append(out.Permissions, sandstorm.PermissionDef{
			Name:     f.text(defs.At(i).Name()),
			Title:    f.localized(defs.At(i).Title()),
			Obsolete: defs.At(i).Obsolete(),
		})
	}
	r, err := view.Roles()
	roles := take(&f, r, err)
	for i := range f.count("roles", roles.Len(), maxPermissions) {
		if f.err != nil {
			break
		}
		role := roles.At(i)
		out.Roles = append(out.Roles, sandstorm.RoleDef{
			Title:       f.localized(role.Title()),
			VerbPhrase:  f.localized(role.VerbPhrase()),
			Permissions: f.bools(role.Permissions()),
			Obsolete:    role.Obsolete(),
			Default:     role.Default(),
		})
	}
	if f.err != nil {
		return nil, badBridgeConfig(f.err)
	}
	return out, nil
}

func badBridgeConfig(err error) error {
	return sandstorm.Errorf(sandstorm.Invalid, "package.bad-bridge-config", "bridge configuration: %w", err)
}
