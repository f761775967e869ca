// Command filedrop is a folder to share: people drop files into it in the
// browser or over WebDAV. It listens where the HTTP bridge expects it and
// keeps everything below /var.
package main

import (
	"log/slog"
	"net/http"
	"os"
	"time"
)

func main() {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	t, err := openTree("/var/filedrop")
	if err == nil {
		var h http.Handler
		if h, err = newHandler(t, log); err == nil {
			server := &http.Server{Addr: "127.0.0.1:8000", Handler: h, ReadHeaderTimeout: 15 * time.Second}
			err = server.ListenAndServe()
		}
	}
	log.Error("stopped", "err", err)
	os.Exit(1)
}
