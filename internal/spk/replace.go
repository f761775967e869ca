package spk

import (
	"slices"

	"github.com/sandstorm-go/sandstorm"
)

// replacement says that an app's original key was given up for another one
// (packages.md §8). Grains and backups carry the original id for ever.
type replacement struct {
	original, replacement sandstorm.AppID
	// revoked: packages signed by the original key are refused, except those
	// listed.
	revoked bool
	except  []sandstorm.PackageID
}

// replacements is the compiled-in list. No app occurs twice on the same side
// and there is no cycle: a test sees to that.
var replacements = []replacement{
	{ // Paperwork
		original:    "vxe8awcxvtj6yu0vgjpm1tsaeu7x8v8tfp71tyvnm6ykkephu9q0",
		replacement: "n8cn71407n4mezn7mg0k5kkm21juuphhecc24hdf9kf56zyxm4ah",
	},
	{ // draw.io
		original:    "nfqhx83vvzm80edpgkpax8mhqp176qj2vwg67rgq5e3kjc5r4cyh",
		replacement: "a3w50h1435gsxczugm16q0amwkqm9f4crykzea53sv61pt7phk8h",
		revoked:     true,
		except: []sandstorm.PackageID{
			"1450e0caa29b59ec938b3795bf17cb02",
			"738f0e56a9ca462e77245e3f392686d7",
		},
	},
	{ // Wekan
		original:    "m86q05rdvj14yvn78ghaxynqz7u2svw6rnttptxx49g1785cdv1h",
		replacement: "6jz1aawur7kga7tdsj9kgpxx1yzh6xz1qmrpnqukcp1rekprd9f0",
	},
	{ // WordPress
		original:    "aax9j672p6z8n7nyupzvj2nmumeqd4upa0f7mgu8gprwmy53x04h",
		replacement: "zp00qqrha6gp8515ju84ys91syyq8ezv77g9s1r0t3urz92uzmqh",
	},
}

// OriginalAppID is the id of the app whose package id was signed by key: the
// app's first id, however often it changed keys. It fails if the key was
// revoked and the package is not one of the exceptions.
func OriginalAppID(key sandstorm.AppID, id sandstorm.PackageID) (sandstorm.AppID, error) {
	for _, r := range replacements {
		if r.original == key && r.revoked && !slices.Contains(r.except, id) {
			return "", sandstorm.Errorf(sandstorm.Denied, "package.revoked", "the key %s was revoked", key).With("app", string(key))
		}
	}
	for range replacements { // each step uses up one entry, so this ends
		i := slices.IndexFunc(replacements, func(r replacement) bool { return r.replacement == key })
		if i < 0 {
			break
		}
		key = replacements[i].original
	}
	return key, nil
}

// SigningAppID is the inverse: the id of the key that must sign new packages of
// the app.
func SigningAppID(app sandstorm.AppID) sandstorm.AppID {
	for range replacements {
		i := slices.IndexFunc(replacements, func(r replacement) bool { return r.original == app })
		if i < 0 {
			break
		}
		app = replacements[i].replacement
	}
	return app
}
