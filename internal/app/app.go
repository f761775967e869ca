// Package app holds the rules of apps: who may install packages, from where,
// and whose list an app is on. Packages lie on the host; the store knows what
// they are; this package brings the two together.
package app

import (
	"github.com/sandstorm-go/sandstorm"
)

// App is an app as one account sees it.
type App struct {
	ID      sandstorm.AppID
	Package sandstorm.Package // the newest one that is installed here, or the one under development
	Dev     *Dev              // set while it is under development
	Added   bool              // it is on the account's list
	Grains  int               // how many grains of it the account owns
}

// The states of an Attempt, in order.
const (
	StateDownloading = "downloading"
	StateVerifying   = "verifying"
	StateReady       = "ready"
	StateFailed      = "failed"
	StateCanceled    = "canceled"
)

// Attempt is one try of one account to install a package. Attempts are kept in
// memory: after a restart of the server the person tries again.
type Attempt struct {
	ID       string
	State    string
	Received int64 // bytes of the .spk so far
	Total    int64 // bytes, -1 if unknown
	Package  sandstorm.PackageID
	Err      error // why it failed
}
