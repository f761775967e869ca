// Command stub stands in a package where the HTTP bridge would be. Our server
// runs its bridge outside the sandbox and starts only the app's own command; a
// server that needs the bridge inside gets this explanation in the grain's log.
package main

import "os"

func main() {
	println("sandstorm-http-bridge: this package needs a server whose HTTP bridge runs outside the sandbox")
	os.Exit(1)
}
