package scaffold

// Definition returns the commented definition.
func Definition(f *Found, appID string, fileID uint64) string { return "" }

// Original returns what the original `spk init` wrote.
func Original(o OriginalOptions) string { return "" }
