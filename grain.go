package sandstorm

import "time"

// Grain is one instance of an app: one document, mailbox or board.
type Grain struct {
	ID         GrainID    `json:"id"`
	Title      string     `json:"title"`
	Package    PackageID  `json:"package"`
	AppID      AppID      `json:"appId"`
	AppVersion uint32     `json:"appVersion"`
	Owner      AccountID  `json:"owner"`
	IdentityID string     `json:"-"` // the owner's id inside the grain: 64 hex digits
	Created    time.Time  `json:"created"`
	LastUsed   time.Time  `json:"lastUsed"`
	Trashed    *time.Time `json:"trashed,omitempty"` // when it was put in the trash
	Started    bool       `json:"-"`                 // the action's command ran once; from now on the continue command
	Action     int        `json:"-"`                 // the action that makes it, until Started
	Size       int64      `json:"size"`              // bytes on disk when last measured
}

// GrainSession is one opening of one grain by one account. Its host name dies
// with it. The secret itself is not kept: Host is its hash.
type GrainSession struct {
	Host     HostID
	Tab      TabID
	Grain    GrainID
	Account  AccountID
	Login    LoginID // ends with this browser session; empty for commands
	Created  time.Time
	LastUsed time.Time
}
