package main

// release is the version, set by the linker.
var release = ""

// version is the release, or what a plain `go build` of the source is called.
func version() string {
	if release == "" {
		return "development"
	}
	return release
}
