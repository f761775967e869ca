// Package control is the door for the administrator's commands: a small JSON
// API over HTTP on the Unix socket DATA/socket/admin, which only the server's
// own user and root can open, and its client. It draws no page and holds no
// rule.
package control

import (
	"time"

	"github.com/sandstorm-go/sandstorm"
	"github.com/sandstorm-go/sandstorm/internal/host"
)

// Status is what `sandstorm status` prints.
type Status struct {
	Version string             `json:"version"`
	BaseURL string             `json:"baseUrl"`
	PID     int                `json:"pid"`
	Started time.Time          `json:"started"`
	Store   string             `json:"store"` // "sqlite" or "postgres"
	Host    *host.Info         `json:"host,omitempty"`
	Running []host.GrainStatus `json:"running"`
	Warning string             `json:"warning,omitempty"` // what is wrong, if the host does not answer
}

// App is one installed app.
type App struct {
	AppID     sandstorm.AppID     `json:"appId"`
	PackageID sandstorm.PackageID `json:"packageId"`
	Title     string              `json:"title"`
	Version   string              `json:"version"` // the marketing version, for people
	Number    uint32              `json:"versionNumber"`
	Actions   []string            `json:"actions"` // titles, by number
}

// Grain is one grain.
type Grain struct {
	ID        sandstorm.GrainID   `json:"id"`
	Title     string              `json:"title"`
	Owner     string              `json:"owner"` // the owner's handle
	AppID     sandstorm.AppID     `json:"appId"`
	PackageID sandstorm.PackageID `json:"packageId"`
	Running   bool                `json:"running"`
	Trashed   bool                `json:"trashed"`
	Size      int64               `json:"size"` // bytes when last measured
	LastUsed  time.Time           `json:"lastUsed"`
}

// User is one account.
type User struct {
	ID     sandstorm.AccountID `json:"id"`
	Name   string              `json:"name"`
	Handle string              `json:"handle"`
	Role   sandstorm.Role      `json:"role"`
}

// Session is a grain session that `grain open` minted.
type Session struct {
	Grain sandstorm.GrainID `json:"id"`
	URL   string            `json:"url"` // the frame's address; opens the grain for whoever has it
}

// The bodies of requests.
type (
	installURL struct {
		URL string `json:"url"`
	}
	createGrain struct {
		App    string `json:"app"`
		Action int    `json:"action"`
		User   string `json:"user"`
		Title  string `json:"title"`
	}
	openGrain struct {
		User string `json:"user"`
		Path string `json:"path"`
	}
	createUser struct {
		Name  string         `json:"name"`
		Email string         `json:"email"`
		Role  sandstorm.Role `json:"role"`
	}
	failure struct {
		Kind    string `json:"kind"`
		Key     string `json:"key,omitempty"` // of the message, for programs
		Message string `json:"message"`       // for people, in English
		Detail  string `json:"detail"`        // for the administrator
	}
)
