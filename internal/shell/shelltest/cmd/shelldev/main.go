// Command shelldev shows the shell over invented data, to look at its pages
// while they are drawn.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"

	"github.com/sandstorm-go/sandstorm/internal/shell/shelltest"
)

func main() {
	port := flag.Int("port", 6088, "port on the loopback address")
	fresh := flag.Bool("fresh", false, "begin before the first run")
	flag.Parse()
	world := shelltest.New()
	if *fresh {
		world = shelltest.Fresh()
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	server, err := shelltest.Serve(world, *port, log)
	if err != nil {
		log.Error("cannot serve", "err", err)
		os.Exit(1)
	}
	fmt.Println(server.URL)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	<-ctx.Done()
	_ = server.Close() // the process ends anyway
}
