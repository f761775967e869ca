package shell

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/sandstorm-go/sandstorm"
)

// pictureView is a picture's addresses, at one and two pixels per point.
type pictureView struct{ Src, Srcset string }

// accountPicture is the address of an account's picture: its own, or an
// identicon of its id.
func (s *Shell) accountPicture(a *sandstorm.Account) string {
	if isAssetID(string(a.Profile.Picture)) {
		return s.imageHost + "/" + string(a.Profile.Picture)
	}
	sum := sha256.Sum256([]byte(a.ID))
	return s.imageHost + "/identicon/" + hex.EncodeToString(sum[:16]) + "?s=96"
}

// PictureURL is the address of an account's picture, for whoever shows it
// outside the shell's pages: apps, mails.
func (s *Shell) PictureURL(a *sandstorm.Account) string { return s.accountPicture(a) }

// appIcon is an app's picture for a grid ("app") or a list ("grain"), or an
// identicon of its id (shell.md §9).
func (s *Shell) appIcon(icons sandstorm.Icons, id sandstorm.AppID, use string) pictureView {
	pick := icons.AppGrid
	if use == "grain" && icons.Grain != nil {
		pick = icons.Grain
	}
	if pick == nil {
		pick = icons.Market
	}
	if pick == nil || !isAssetID(string(pick.Asset)) {
		return pictureView{Src: s.imageHost + "/identicon/" + appHash(id) + "?s=128"}
	}
	v := pictureView{Src: s.imageHost + "/" + string(pick.Asset)}
	if isAssetID(string(pick.Asset2x)) {
		v.Srcset = v.Src + " 1x, " + s.imageHost + "/" + string(pick.Asset2x) + " 2x"
	}
	return v
}

// appHash turns an app id into the 32 digits that its identicon is drawn from.
func appHash(id sandstorm.AppID) string {
	const alphabet = "0123456789acdefghjkmnpqrstuvwxyz"
	const hexDigits = "0123456789abcdef"
	var b strings.Builder
	for i := range min(32, len(id)) {
		b.WriteByte(hexDigits[max(0, strings.IndexByte(alphabet, id[i]))%16])
	}
	return b.String() + strings.Repeat("0", 32-b.Len())
}

// isAssetID reports whether s has the form of an asset's name: 64 hex digits,
// or another run of letters and digits that an import brought.
func isAssetID(s string) bool {
	if len(s) < 8 || len(s) > 128 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}
