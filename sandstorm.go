// Package sandstorm is the vocabulary that every part of the server shares:
// identifiers, accounts, packages, grains, sessions, permissions and error
// kinds. It imports only the standard library, holds no behaviour beyond
// parsing and formatting, and is the only package that all others may import.
//
// The words mean what docs/architecture.md says they mean; a term that is not
// here or there should not appear on screen either.
package sandstorm
