package server

import "github.com/sandstorm-go/sandstorm/internal/host/sandbox"

// Enter makes this process one that may run grains on the data directory. It
// must be called first of all. Root needs nothing. An ordinary user's process
// is replaced by the same program in a user namespace, where Enter returns nil.
func Enter(dataDir string) error {
	if !sandbox.NeedsUserNamespace() {
		return nil
	}
	return sandbox.ReexecInUserNamespace() // returns only if it fails
}
