// Package grain holds the rules of grains: who may make, open, rename and
// delete them, when they start and stop, and what a session of one may do. It
// knows the running ones through host.Client and keeps one bridge.App for each.
package grain

import (
	"time"

	"github.com/sandstorm-go/sandstorm"
)

// Query selects and orders the grains of a list.
type Query struct {
	Search string          // every word must occur in the title or the app's title
	Sort   string          // SortUsed (default), SortTitle, SortSize or SortApp
	Desc   bool            // largest, newest or last first
	Trash  bool            // those in the trash instead of the others
	App    sandstorm.AppID // only of this app, if set
}

// The orders of a list.
const (
	SortUsed  = "used"
	SortTitle = "title"
	SortSize  = "size"
	SortApp   = "app"
)

// Row is a grain with what a list shows of its app.
type Row struct {
	Grain    sandstorm.Grain
	AppTitle sandstorm.LocalizedText
	Icons    sandstorm.Icons
	Running  bool
	CanWrite bool // may rename, restart and trash it: the owner
	// Revision names the state of its app while that is under development; else
	// it is empty. An open page whose revision is over is to be loaded again.
	Revision string
}

// Health is what the grain page shows of its app.
type Health struct {
	Running  bool
	Revision string // see Row
	Crash    string // message key of why it ended by itself; empty if it did not
	Detail   string // for example "exit status 1" or "SIGSEGV"
}

// TrashRetention is how long a grain stays in the trash before it is deleted.
const TrashRetention = 30 * 24 * time.Hour
