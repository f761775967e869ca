// Command git keeps one Git repository in a grain. It serves a page about it,
// hands clone, fetch and push to git's own http-backend, and lets cgit show
// commits, files and differences. It listens where the HTTP bridge expects it
// and keeps everything below /var.
package main

import (
	"log/slog"
	"net/http"
	"os"
	"time"
)

func main() {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	repo, err := openRepository("/var/repo.git")
	if err == nil {
		var h http.Handler
		if h, err = newHandler(repo, log); err == nil {
			// No limit on bodies and answers: a first push may take an hour.
			server := &http.Server{Addr: "127.0.0.1:8000", Handler: h, ReadHeaderTimeout: 15 * time.Second}
			err = server.ListenAndServe()
		}
	}
	log.Error("stopped", "err", err)
	os.Exit(1)
}
