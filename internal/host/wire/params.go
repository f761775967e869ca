package wire

import "github.com/sandstorm-go/sandstorm"

// Hello opens a connection: the caller names the versions it speaks, the host
// answers with the highest that both do (Min = Max).
type Hello struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

// InstallParams go with the file that the .spk is read from.
type InstallParams struct {
	Want     sandstorm.PackageID `json:"want,omitempty"`
	Progress bool                `json:"progress,omitempty"`
}

// InstallProgress is what an install call tells meanwhile.
type InstallProgress struct {
	Read int64 `json:"read"` // bytes of the .spk
}

// DevUpdateParams go with the file that the .spk is read from.
type DevUpdateParams struct {
	Package sandstorm.PackageID `json:"package"`
}

// PackageParams name a package.
type PackageParams struct {
	Package sandstorm.PackageID `json:"package"`
}

// DialParams name a running grain.
type DialParams struct {
	Grain    sandstorm.GrainID `json:"grain"`
	Instance string            `json:"instance"`
}

// LogParams ask for a grain's log.
type LogParams struct {
	Grain   sandstorm.GrainID `json:"grain"`
	Backlog int64             `json:"backlog"` // bytes
	Follow  bool              `json:"follow"`
}

// GrainParams name a grain's storage.
type GrainParams struct {
	Grain sandstorm.GrainID `json:"grain"`
}

// SizeResult is the disk space of a grain.
type SizeResult struct {
	Bytes int64 `json:"bytes"`
}

// ShutdownParams end the host process.
type ShutdownParams struct {
	StopGrains bool `json:"stopGrains"`
}

// Empty is the result of calls that have none.
type Empty struct{}
