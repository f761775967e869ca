// Package shell is the pages that people see around their grains: sign-in,
// apps, the grain list, the grain page with its frame, account and set-up. It
// draws and translates; what is allowed is decided by the rules in services.go.
package shell
