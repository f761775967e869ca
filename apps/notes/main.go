// Command notes is a shared note pad: one note per grain, which several people
// write at once. It listens where the HTTP bridge expects it and keeps
// everything in one file below /var.
package main

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"time"
)

func main() {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := run(context.Background(), log, "127.0.0.1:8000", "/var/note.log"); err != nil {
		log.Error("stopped", "err", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, log *slog.Logger, address, file string) error {
	s, text, err := openStore(file, log)
	if err != nil {
		return err
	}
	p := openPad(s, text)
	h, err := newHandler(p, log)
	if err != nil {
		return err
	}
	server := &http.Server{Addr: address, Handler: h, ReadHeaderTimeout: 15 * time.Second}
	failed := make(chan error, 2)
	go func() { failed <- p.run(ctx) }()
	go func() { failed <- server.ListenAndServe() }()
	err = <-failed
	server.Close()
	return err
}
