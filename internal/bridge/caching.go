package bridge

import "strings"

// cachingDefault is for responses that say nothing of caching. Old servers
// passed nothing on, so browsers asked again for everything: apps that were only
// ever tried there keep that, and shared caches in front of the server (some
// store pictures and scripts unasked) stay out.
const cachingDefault = "private, no-cache"

// privateCaching keeps what an app says of caching but makes it private: what
// comes from a session's host needs the session's cookie, which shared caches
// do not look at.
func privateCaching(value string) string {
	var b strings.Builder
	b.WriteString("private")
	for value != "" {
		item := value
		if i := strings.IndexByte(value, ','); i >= 0 {
			item, value = value[:i], value[i+1:]
		} else {
			value = ""
		}
		item = trimOWS(item)
		name, _, _ := strings.Cut(item, "=")
		if item == "" || equalFold(name, "public") || equalFold(name, "private") ||
			equalFold(name, "s-maxage") || equalFold(name, "proxy-revalidate") {
			continue
		}
		b.WriteString(", " + item)
	}
	return b.String()
}
