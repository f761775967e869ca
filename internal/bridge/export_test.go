package bridge

import "time"

// Hurry makes an App wait as long as d for clients.
func (a *App) Hurry(d time.Duration) { a.waits = waits{body: d, client: d, upload: d, linger: d} }
