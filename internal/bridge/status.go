package bridge

// outgoingStatus is the status that leaves for what the app said. The original
// collapsed most of them (gateway.md §5, §10); all whose meaning is between the
// app and its page pass unchanged now. Exceptions:
//
//   - 302 after PUT, DELETE and the like becomes 303, as in the original:
//     browsers repeat the method on 302 except after POST, and packages were
//     tried only with 303. For GET, HEAD and POST the two mean the same.
//   - 405 and 501 on OPTIONS become 200, as in the original.
//   - 407 and 421 speak to proxies and to connection handling, which are not
//     the app's business: 400.
//
// It reports false for what is no final status.
func outgoingStatus(status int, method string) (int, bool) {
	switch {
	case status < 200 || status > 599:
		return 0, false
	case status == 302 && method != "GET" && method != "HEAD" && method != "POST":
		return 303, true
	case (status == 405 || status == 501) && method == "OPTIONS":
		return 200, true
	case status == 407 || status == 421:
		return 400, true
	}
	return status, true
}

// bodyAllowed reports whether a response with this status has a body. (205 must
// be empty, but that is said with a length of zero.)
func bodyAllowed(status int) bool {
	return status >= 200 && status != 204 && status != 205 && status != 304
}
